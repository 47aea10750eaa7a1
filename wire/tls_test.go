package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a CA in a folder of its own.
type authority struct {
	dir string
	ca  Pair
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	dir := t.TempDir()
	a := authority{dir, Pair{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")}}
	if err := NewCA(a.ca, 48*time.Hour); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a authority) issue(t *testing.T, name string, role Role, hosts ...string) Files {
	t.Helper()
	f := Files{CA: a.ca.Cert, Cert: filepath.Join(a.dir, name+".pem"), Key: filepath.Join(a.dir, name+".key")}
	if err := IssueCert(a.ca, Pair{f.Cert, f.Key}, role, hosts, 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	return f
}

func leaf(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssue(t *testing.T) {
	a := newAuthority(t)
	f := a.issue(t, "invoker", RoleInvoker, "invoker-1.example", "10.0.0.1", "::1")
	for _, p := range []string{a.ca.Cert, a.ca.Key, f.Cert, f.Key} {
		if info, err := os.Stat(p); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", filepath.Base(p), info.Mode(), err)
		}
	}
	c := leaf(t, f.Cert)
	for _, host := range []string{"invoker-1.example", "10.0.0.1", "::1"} {
		if err := c.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if c.IsCA || checkRole(c, RoleInvoker) != nil || checkRole(c, RoleRouter) == nil {
		t.Errorf("CA %v, subject %v", c.IsCA, c.Subject)
	}
	if left := time.Until(c.NotAfter); left < 23*time.Hour || left > 24*time.Hour || time.Since(c.NotBefore) > time.Hour {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if err := IssueCert(a.ca, Pair{a.dir + "/l.pem", a.dir + "/l.key"}, RoleRouter, nil, 9000*time.Hour); err != nil {
		t.Fatal(err)
	}
	if got, ca := leaf(t, a.dir+"/l.pem").NotAfter, leaf(t, a.ca.Cert).NotAfter; !got.Equal(ca) {
		t.Errorf("valid to %v, the CA to %v", got, ca)
	}
}

func TestIssueRefuses(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	in := func(n string) string { return filepath.Join(a.dir, n) }
	plain := a.issue(t, "plain", RoleRouter)
	for _, tt := range []struct {
		name     string
		ca       Pair
		role     Role
		hosts    []string
		validity time.Duration
		out      Pair
	}{
		{"unknown role", a.ca, "admin", nil, time.Hour, Pair{}},
		{"invoker without host", a.ca, RoleInvoker, nil, time.Hour, Pair{}},
		{"bad host", a.ca, RoleInvoker, []string{"a b"}, time.Hour, Pair{}},
		{"empty host", a.ca, RoleInvoker, []string{""}, time.Hour, Pair{}},
		{"too short", a.ca, RoleRouter, nil, time.Minute, Pair{}},
		{"too long", a.ca, RoleRouter, nil, 20 * maxValidity, Pair{}},
		{"no CA there", Pair{in("no"), in("no")}, RoleRouter, nil, time.Hour, Pair{}},
		{"another CA's key", Pair{a.ca.Cert, other.ca.Key}, RoleRouter, nil, time.Hour, Pair{}},
		{"not a CA", Pair{plain.Cert, plain.Key}, RoleRouter, nil, time.Hour, Pair{}},
		{"key for certificate", Pair{a.ca.Key, a.ca.Key}, RoleRouter, nil, time.Hour, Pair{}},
		{"certificate is there", a.ca, RoleRouter, nil, time.Hour, Pair{plain.Cert, in("new.key")}},
		{"key is there", a.ca, RoleRouter, nil, time.Hour, Pair{in("new.pem"), plain.Key}},
	} {
		out := tt.out
		if out == (Pair{}) {
			out = Pair{in("new.pem"), in("new.key")}
		}
		if err := IssueCert(tt.ca, out, tt.role, tt.hosts, tt.validity); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
		for _, p := range []string{in("new.pem"), in("new.key")} {
			if _, err := os.Stat(p); err == nil {
				t.Errorf("%s: left %s behind", tt.name, filepath.Base(p))
			}
		}
	}
	if err := NewCA(a.ca, time.Hour); err == nil {
		t.Error("a CA was overwritten")
	}
}

// Who may connect: a router to an invoker, both of one CA, by the right name.
func TestPeers(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	router, invoker := a.issue(t, "router", RoleRouter), a.issue(t, "invoker", RoleInvoker, "127.0.0.1")
	stranger := other.issue(t, "router", RoleRouter)
	strangeInvoker := other.issue(t, "invoker", RoleInvoker, "127.0.0.1")
	elsewhere := a.issue(t, "elsewhere", RoleInvoker, "invoker.example")
	must := func(c *tls.Config, err error) *tls.Config {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	routerTLS := must(ClientTLS(router))
	posing := must(ServerTLS(invoker)).Clone() // an invoker that dials an invoker
	posing.RootCAs, posing.VerifyConnection = posing.ClientCAs, nil
	trustsAll := must(ClientTLS(stranger)).Clone()
	trustsAll.RootCAs = routerTLS.RootCAs
	nameless := &tls.Config{RootCAs: routerTLS.RootCAs}
	old := routerTLS.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	for _, tt := range []struct {
		name   string
		server Files
		client *tls.Config
		ok     bool
	}{
		{"router", invoker, routerTLS, true},
		{"invoker as client", invoker, posing, false},
		{"another CA's router", invoker, trustsAll, false},
		{"no certificate", invoker, nameless, false},
		{"TLS 1.2", invoker, old, false},
		{"another CA's invoker", strangeInvoker, routerTLS, false},
		{"another host's invoker", elsewhere, routerTLS, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ln, err := Listen("127.0.0.1:0", must(ServerTLS(tt.server)))
			if err != nil {
				t.Fatal(err)
			}
			s := NewServer(DefaultServerConfig(), &echo{}, hello)
			run(t, func(ctx context.Context) error { return s.Serve(ctx, ln) })
			dial, err := Dialer(ln.Addr().String(), tt.client)
			if err != nil {
				t.Fatal(err)
			}
			c := clientOf(t, dial, nil)
			conn, err := dial(t.Context())
			if err == nil {
				l := newLink(conn, 1<<20, 2<<20, time.Second)
				go l.write()
				_, err = c.greet(l)
				l.shut(nil)
			}
			if (err == nil) != tt.ok {
				t.Errorf("connected: %v, want %v", err, tt.ok)
			}
		})
	}
}

func TestTLSFiles(t *testing.T) {
	a := newAuthority(t)
	router, invoker := a.issue(t, "router", RoleRouter), a.issue(t, "invoker", RoleInvoker, "localhost")
	if _, err := ServerTLS(router); err == nil {
		t.Error("a router's certificate serves an invoker")
	}
	if _, err := ClientTLS(invoker); err == nil {
		t.Error("an invoker's certificate dials as a router")
	}
	for _, f := range []Files{{}, {CA: router.Key, Cert: router.Cert, Key: router.Key}, {CA: router.CA, Cert: router.Cert, Key: invoker.Key}} {
		if _, err := ClientTLS(f); err == nil {
			t.Errorf("%+v: no error", f)
		}
	}
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	ln, err := Listen("unix:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path, nil); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("second listener: %v", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false) // as if killed
	_ = ln.Close()
	if ln, err = Listen(path, nil); err != nil {
		t.Errorf("after a crash: %v", err)
	} else {
		_ = ln.Close()
	}
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{file, "127.0.0.1:0", dir + "/no/s"} {
		if _, err := Listen(addr, nil); err == nil {
			t.Errorf("listens on %s", addr)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("a file was taken for a socket")
	}
	if _, err := Dialer("127.0.0.1:1", nil); err == nil {
		t.Error("dials TCP without certificates")
	}
	if _, err := Dialer("nowhere", &tls.Config{}); err == nil {
		t.Error("dials an address without a port")
	}
}

// Plain TCP is not trusted, whoever made the listener.
func TestPlainTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(DefaultServerConfig(), &echo{}, hello)
	run(t, func(ctx context.Context) error { return s.Serve(ctx, ln) })
	c := clientOf(t, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", ln.Addr().String())
	}, nil)
	if up, err := c.connect(t.Context()); up || err == nil {
		t.Errorf("up = %v, %v", up, err)
	}
}

func TestAllowUID(t *testing.T) {
	for _, tt := range []struct {
		peer, own uint32
		ok        bool
	}{{1000, 1000, true}, {0, 1000, true}, {1001, 1000, false}, {1000, 0, false}, {0, 0, true}} {
		if err := allowUID(tt.peer, tt.own); (err == nil) != tt.ok {
			t.Errorf("peer %d, own %d: %v", tt.peer, tt.own, err)
		}
	}
}
