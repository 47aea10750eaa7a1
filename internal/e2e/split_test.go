package e2e

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"hearth/internal/binary"
)

// node is a `hearth invoker` of the test's own.
type node struct {
	dir  string
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func startNode(t *testing.T, args ...string) *node {
	t.Helper()
	n := &node{dir: filepath.Join(t.TempDir(), "invoker")}
	n.args = append([]string{"invoker", "--data", n.dir, "--ops-addr", "127.0.0.1:0", "--memory", "1024"}, args...)
	n.launch(t)
	t.Cleanup(func() {
		binary.Interrupt(t, n.cmd)
		if t.Failed() {
			t.Logf("log of hearth invoker:\n%s", tail(n.log.String(), 4000))
		}
	})
	return n
}

func (n *node) launch(t *testing.T) {
	t.Helper()
	n.cmd, _ = binary.Start(t, &n.log, n.dir, n.args...)
}

func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	_ = n.cmd.Wait()
}

// socket returns a path for a unix socket, which must be short.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hs-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return "unix:" + filepath.Join(dir, "s")
}

// TestSplit: router and invoker as processes of their own, over a unix socket
// and over mutual TLS, do what hearth up does; a router without a certificate
// gets nowhere.
func TestSplit(t *testing.T) {
	const code = `const main = p => { console.log('was here'); return { sum: p.a + p.b }; }`
	check := func(t *testing.T, p *platform) {
		t.Helper()
		p.create("add", "nodejs:default", code, nil)
		a := p.invoke("add", map[string]any{"a": 2, "b": 40})
		if _, result := response(t, a.decode(t)); a.status != 200 || result.(map[string]any)["sum"] != 42.0 {
			t.Errorf("status %d: %s", a.status, a.body)
		}
		b := p.do("POST", "actions/add", map[string]any{"a": 1, "b": 1})
		if b.status != 202 {
			t.Errorf("status %d: %s", b.status, b.body)
		}
		rec := p.record(b.id(), 20*time.Second)
		if status, _ := response(t, rec); status != "success" || logLines(rec) == "" {
			t.Errorf("record: %v", rec)
		}
		big := string(bytes.Repeat([]byte("x"), 900_000))
		p.create("echo", "nodejs:default", `const main = p => p`, nil)
		if e := p.invoke("echo", map[string]any{"big": big}); e.status != 200 || len(e.body) < len(big) {
			t.Errorf("900 kB there and back: status %d, %d bytes", e.status, len(e.body))
		}
	}

	t.Run("unix socket", func(t *testing.T) {
		addr := socket(t)
		startNode(t, "--listen", addr)
		check(t, startAs(t, "router", "--no-throttle", "--invoker", addr))
	})

	t.Run("mutual TLS", func(t *testing.T) {
		bin, err := binary.Build()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		ca, inv, rtr := filepath.Join(dir, "ca"), filepath.Join(dir, "inv"), filepath.Join(dir, "rtr")
		for _, args := range [][]string{
			{"tls", "ca", "--out", ca},
			{"tls", "cert", "--ca", ca, "--out", inv, "--role", "invoker", "--host", "127.0.0.1"},
			{"tls", "cert", "--ca", ca, "--out", rtr, "--role", "router"},
		} {
			if out, err := command(t, bin, args...); err != nil {
				t.Fatalf("hearth %v: %v\n%s", args, err, out)
			}
		}
		addr := freeAddr(t)
		if out, err := command(t, bin, "invoker", "--data", filepath.Join(dir, "x"), "--listen", addr); err == nil || !bytes.Contains(out, []byte("certificates")) {
			t.Errorf("an invoker on TCP without certificates: %v\n%s", err, out)
		}
		startNode(t, "--listen", addr, "--wire-ca", ca+".crt", "--wire-cert", inv+".crt", "--wire-key", inv+".key")
		check(t, startAs(t, "router", "--no-throttle", "--invoker", addr, "--wire-ca", ca+".crt", "--wire-cert", rtr+".crt", "--wire-key", rtr+".key"))
		out, err := command(t, bin, "router", "--data", filepath.Join(dir, "y"), "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0",
			"--invoker", addr, "--wire-ca", ca+".crt", "--wire-cert", inv+".crt", "--wire-key", inv+".key")
		if err == nil || !bytes.Contains(out, []byte("is not a router's certificate")) {
			t.Errorf("a router with an invoker's certificate: %v\n%s", err, out)
		}
	})
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
}

// TestSplitKilled: with router and invoker as processes of their own, each of
// them is killed with SIGKILL under load and started again in turn. Every id
// that a client received has one record, and nothing runs twice.
func TestSplitKilled(t *testing.T) {
	marks := marksFile(t)
	addr := socket(t)
	n := startNode(t, "--listen", addr)
	p := startAs(t, "router", "--no-throttle", "--invoker", addr)
	// What a killed router had started and not sent fails when the time of its
	// run is over, so let that be short.
	p.create("mark", "nodejs:default", leaveMark, map[string]any{"memory": 128, "timeout": 2000})
	got := newReceived()
	for i := range size(2, 12) {
		ctx, cancel := context.WithCancel(context.Background())
		loaded := make(chan struct{})
		go func() { got.load(ctx, p, marks); close(loaded) }()
		got.settle(t, 1500*time.Millisecond)
		if i%2 == 0 {
			n.kill()
			n.launch(t)
			<-time.After(500 * time.Millisecond)
		} else {
			p.kill()
		}
		cancel()
		<-loaded
		if p.cmd == nil {
			p.launch()
		}
	}
	got.check(t, p, marks)
}
