package invokertest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hearth/router"
	"hearth/whisk"
	"hearth/wire"
)

func TestInProcess(t *testing.T) {
	Run(t, func(*testing.T) (router.Invoker, Controls) {
		s := NewScripted()
		return s, Controls{Invoker: s}
	})
}

func TestUnixSocket(t *testing.T) {
	Run(t, func(t *testing.T) (router.Invoker, Controls) {
		return overWire(t, "unix:"+filepath.Join(t.TempDir(), "invoker.sock"), nil, nil)
	})
}

func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	ca := wire.Pair{Cert: file("ca.pem"), Key: file("ca.key")}
	if err := wire.NewCA(ca, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	issue := func(role wire.Role, hosts ...string) wire.Files {
		f := wire.Files{CA: ca.Cert, Cert: file(string(role) + ".pem"), Key: file(string(role) + ".key")}
		if err := wire.IssueCert(ca, wire.Pair{Cert: f.Cert, Key: f.Key}, role, hosts, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		return f
	}
	server, err := wire.ServerTLS(issue(wire.RoleInvoker, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := wire.ClientTLS(issue(wire.RoleRouter))
	if err != nil {
		t.Fatal(err)
	}
	Run(t, func(t *testing.T) (router.Invoker, Controls) { return overWire(t, "127.0.0.1:0", server, client) })
}

// gate is a dialer whose connections can be cut and forbidden.
type gate struct {
	dial wire.Dial

	mu   sync.Mutex
	shut bool
	conn net.Conn
}

func (g *gate) Dial(ctx context.Context) (net.Conn, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, errors.New("the gate is shut")
	}
	conn, err := g.dial(ctx)
	g.conn = conn
	return conn, err
}

func overWire(t *testing.T, addr string, server, client *tls.Config) (router.Invoker, Controls) {
	s := NewScripted()
	return serve(t, addr, server, client, s, s, nil)
}

// serve serves v, which is or has the scripted invoker s, and returns a client
// of it that is up. If r is not nil the client joins it.
func serve(t *testing.T, addr string, server, client *tls.Config, s *Scripted, v wire.Invoker, r *router.Router) (router.Invoker, Controls) {
	t.Helper()
	ln, err := wire.Listen(addr, server)
	if err != nil {
		t.Fatal(err)
	}
	if server != nil {
		addr = ln.Addr().String()
	}
	dial, err := wire.Dialer(addr, client)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{dial: dial}
	up, down := make(chan whisk.Hello, 16), make(chan error, 16)
	cfg := wire.DefaultClientConfig()
	cfg.Name, cfg.Dial, cfg.MaxBackoff = addr, g.Dial, cfg.MinBackoff
	var c *wire.Client
	cfg.OnUp = func(h whisk.Hello) {
		if r != nil {
			r.Join(h, c)
		}
		up <- h
	}
	cfg.OnDown = func(err error) {
		if r != nil {
			r.Leave(s.Hello().ID)
		}
		down <- err
	}
	c = wire.NewClient(cfg)
	sv := wire.NewServer(wire.DefaultServerConfig(), v, s.Hello)

	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := sv.Serve(ctx, ln); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	wait := func(t *testing.T) {
		t.Helper()
		select {
		case h := <-up:
			if want := s.Hello(); h.ID != want.ID || h.Load != want.Load || h.Runtimes[0] != want.Runtimes[0] {
				t.Errorf("hello = %+v, want %+v", h, want)
			}
		case <-time.After(patience):
			t.Fatal("no connection")
		}
	}
	wait(t)
	return c, Controls{
		Invoker: s,
		Break: func(t *testing.T) {
			g.mu.Lock()
			g.shut = true
			conn := g.conn
			g.mu.Unlock()
			_ = conn.Close()
			select {
			case <-down:
			case <-time.After(patience):
				t.Fatal("the break was not noticed")
			}
		},
		Mend: func(t *testing.T) {
			g.mu.Lock()
			g.shut = false
			g.mu.Unlock()
			wait(t)
		},
	}
}
