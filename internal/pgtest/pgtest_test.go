package pgtest

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// count returns how many rows the table has.
func count(t *testing.T, dsn string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLives ends a server in each way and starts it again.
func TestLives(t *testing.T) {
	s := Start(t, Config{Settings: map[string]string{"max_connections": "20"}})
	s.Exec(t, "CREATE TABLE kept (n int)")
	for i, end := range []func(){
		func() { s.Stop(t); s.Start(t) },
		func() { s.Kill(t); s.Start(t) },
		func() { s.Restart(t) },
	} {
		s.Exec(t, "INSERT INTO kept VALUES (1)")
		began := time.Now()
		end()
		t.Logf("restarted in %v", time.Since(began))
		if n := count(t, s.DSN(nil)); n != i+1 {
			t.Errorf("after life %d there are %d rows, want %d", i+1, n, i+1)
		}
	}
	s.Kill(t)
	if conn, err := pgx.Connect(t.Context(), s.DSN(nil)); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a killed server takes connections")
	}
	if children, err := openChildren(os.Getpid()); err != nil {
		t.Error(err)
	} else {
		for _, c := range children {
			t.Error("the tests have a child left")
			if err := c.kill(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestSchemas(t *testing.T) {
	s := Shared(t)
	a, b := s.Schema(t), s.Schema(t)
	for _, dsn := range []string{a, b} {
		Exec(t, dsn, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
	}
	Exec(t, a, "INSERT INTO kept VALUES (2)")
	if n, m := count(t, a), count(t, b); n != 2 || m != 1 {
		t.Errorf("%d and %d rows, want 2 and 1", n, m)
	}
	if Shared(t) != s {
		t.Error("a second shared server")
	}
}
