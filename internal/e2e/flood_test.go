package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func command(t *testing.T, name string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, name, args...).CombinedOutput()
}

// rss returns the process's resident memory in MB, from /proc.
func (p *platform) rss() int {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return kb / 1024
}

// TestFlood: connections that send their headers or bodies slowly, and large
// bodies without credentials, cost little memory and keep nobody out.
func TestFlood(t *testing.T) {
	p := start(t, "--no-throttle")
	p.create("good", "nodejs:default", `const main = p => ({ fine: true })`, nil)
	if a := p.invoke("good", map[string]any{}); a.status != 200 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	before := p.rss()
	slow := size(400, 2000)
	addr := strings.TrimPrefix(p.base, "http://")

	credentials := base64.StdEncoding.EncodeToString([]byte(guestUUID + ":" + guestKey))
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range slow {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, c)
		head := "PUT /api/v1/namespaces/_/actions/x HTTP/1.1\r\nHost: h\r\n"
		if i%2 == 0 { // a body that never comes
			head += "Authorization: Basic " + credentials + "\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{"
		}
		if _, err := io.WriteString(c, head); err != nil {
			t.Logf("connection %d was closed: %v", i, err)
		}
	}

	body := bytes.Repeat([]byte("x"), 50<<20)
	var wg sync.WaitGroup
	var refused, served sync.Map
	for i := range size(40, 200) {
		wg.Go(func() {
			c, err := net.DialTimeout("tcp", addr, 10*time.Second)
			if err != nil {
				t.Errorf("PUT %d: %v", i, err)
				return
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(30 * time.Second))
			fmt.Fprintf(c, "PUT /api/v1/namespaces/_/actions/x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
			go func() { _, _ = c.Write(body) }()
			answer := make([]byte, 12)
			if _, err := io.ReadFull(c, answer); err != nil {
				refused.Store(i, err)
			} else {
				served.Store(i, string(answer))
			}
		})
	}
	most := before
	watch := time.NewTicker(20 * time.Millisecond)
	defer watch.Stop()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-watch.C:
			most = max(most, p.rss())
		case <-done:
			running = false
		}
	}
	served.Range(func(_, v any) bool {
		if v != "HTTP/1.1 401" {
			t.Errorf("a PUT without credentials got %q", v)
		}
		return true
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a, err := p.try(ctx, "POST", "actions/good?blocking=true", map[string]any{})
	if err != nil || a.status != 200 {
		t.Errorf("a normal call: status %d, %v", a.status, err)
	}
	most = max(most, p.rss())
	t.Logf("%d slow connections and %d PUTs: resident memory %d MB before, %d MB at most", slow, size(40, 200), before, most)
	if most-before >= 100 {
		t.Errorf("memory grew by %d MB, want less than 100", most-before)
	}
}
