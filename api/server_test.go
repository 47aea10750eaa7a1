package api

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestUnreadBodyOverTheWire: a stranger who announces a body and sends none
// has its answer at once, and no second request on that connection.
func TestUnreadBodyOverTheWire(t *testing.T) {
	s := httptest.NewServer(newWorld(t).server.Handler())
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil { // a bound for a broken server only
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "PUT /api/v1/namespaces/_/actions/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusUnauthorized || !r.Close {
		t.Errorf("got %s, closing: %v", r.Status, r.Close)
	}
}

// TestLargeCodeOverTheWire: code that is streamed comes out as it went in.
func TestLargeCodeOverTheWire(t *testing.T) {
	w := newWorld(t)
	s := httptest.NewServer(w.server.Handler())
	defer s.Close()
	code := strings.Repeat("const s = \"äöü\\n😀\";\n", 40_000)
	body, err := json.Marshal(map[string]any{"exec": map[string]string{"kind": "nodejs:20", "code": code}})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"PUT", "GET", "DELETE"} {
		// Without a length, as a client does that streams.
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/api/v1/namespaces/_/actions/big", io.MultiReader(strings.NewReader(string(body))))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(aliceKey.UUID, aliceKey.Key)
		req.Header.Set("Content-Type", "application/json")
		r, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Exec struct{ Code string } }
		err = json.NewDecoder(r.Body).Decode(&got)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 || got.Exec.Code != code {
			t.Errorf("%s = %s, %d bytes of code, %v", method, r.Status, len(got.Exec.Code), err)
		}
	}
	s.Close() // now all handlers have returned
	if n := w.server.budget.used.Load(); n != 0 {
		t.Errorf("%d bytes of the budget are not released", n)
	}
}
