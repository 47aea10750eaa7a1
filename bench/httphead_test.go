package bench

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
)

// bytesConn is a connection from which a text can be read, some bytes at a time.
type bytesConn struct {
	net.Conn
	r io.Reader
	n int
}

func (c *bytesConn) Read(b []byte) (int, error) { return c.r.Read(b[:min(len(b), c.n)]) }

// FuzzReceive: whatever is answered, reading ends, keeps to its bounds and, where
// net/http understands the answer, agrees with it.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.0 404\r\n\r\nuntil the end",
		"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 X\r\nConnection: close\r\n\r\n",
	} {
		f.Add([]byte(s), uint8(1))
		f.Add([]byte(s), uint8(255))
	}
	const most = 1 << 16
	f.Fuzz(func(t *testing.T, text []byte, pieces uint8) {
		read := func(n int) (Answer, bool, error) {
			c := &httpConn{Conn: &bytesConn{r: bytes.NewReader(text), n: n}}
			a, keep, err := c.receive(false, most)
			if len(c.in) > 4*(most+maxHead) || len(a.Body) > most {
				t.Fatalf("buffer of %d, body of %d", len(c.in), len(a.Body))
			}
			return a, keep, err
		}
		a, _, err := read(int(pieces) + 1)
		b, _, again := read(len(text) + 1)
		if (err == nil) != (again == nil) || err == nil && (a.Status != b.Status || !bytes.Equal(a.Body, b.Body)) {
			t.Fatalf("in pieces %v %v, at once %v %v", a, err, b, again)
		}
		if err != nil || bytes.ContainsAny(bytes.ReplaceAll(text, crlf, nil), "\r\n") {
			return // net/http takes other ends of lines, too
		}
		in := bufio.NewReader(bytes.NewReader(text))
		for {
			r, err := http.ReadResponse(in, &http.Request{Method: "GET"})
			if err != nil {
				return // it is stricter in what it does not need
			}
			if r.StatusCode < 200 && r.StatusCode != 101 {
				continue
			}
			body, err := io.ReadAll(r.Body)
			if err == nil && (r.StatusCode != a.Status || !bytes.Equal(body, a.Body)) {
				t.Fatalf("%d %q, net/http has %d %q", a.Status, a.Body, r.StatusCode, body)
			}
			return
		}
	})
}
