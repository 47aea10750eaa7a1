package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Config are the settings of a [Server].
type Config struct {
	// Unsynced leaves out the flushes to disk. They are needed to survive the
	// loss of power, not the death of the server.
	Unsynced bool
	// Settings are further ones of postgresql.conf.
	Settings map[string]string
}

// Start starts a server that ends with the test.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := prepare(t, cfg)
	t.Cleanup(func() { s.close(t) })
	s.start(t)
	return s
}

// shared is the server of all tests of a process.
var shared struct {
	mu     sync.Mutex
	server *Server
}

// Shared returns a server for all tests of the process, without flushes to
// disk. It ends when [Run] returns. Nobody stops it before that.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		s := prepare(t, Config{Unsynced: true})
		s.start(t)
		shared.server = s
	}
	return shared.server
}

// Run runs a package's tests and ends the shared server. TestMain calls it.
func Run(m *testing.M) int {
	code := m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if s := shared.server; s != nil {
		if err := s.kill(); err != nil {
			fmt.Println("pgtest:", err)
		}
		s.remove()
	}
	return code
}

var schemas atomic.Int64

// Schema makes an empty schema and returns the DSN of connections that work in
// it alone: a database of one's own, for a hundredth of the time that
// one takes to make.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprint("test", schemas.Add(1))
	s.Exec(t, "CREATE SCHEMA "+name)
	return s.DSN(url.Values{"search_path": {name}})
}

// Exec runs statements outside of any schema of a test.
func (s *Server) Exec(t testing.TB, statements string) {
	t.Helper()
	Exec(t, s.DSN(nil), statements)
}

// Exec runs statements on a connection of its own.
func Exec(t testing.TB, dsn, statements string) {
	t.Helper()
	ctx := context.Background() // a test's cleanup may call it
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}
