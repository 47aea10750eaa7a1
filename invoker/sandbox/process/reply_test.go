package process

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const anID = "0123456789abcdef0123456789abcdef"

// nextLine reads one line as takeReplies does.
func nextLine(r io.Reader, begin func() (int64, error)) (line, error) {
	var lr lineReader
	for {
		n, err := r.Read(lr.room())
		if n > 0 {
			if l, whole, err := lr.take(n, begin); whole || err != nil {
				return l, err
			}
		} else if err != nil {
			if lr.open && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return line{}, err
		}
	}
}

func TestLineReader(t *testing.T) {
	tests := []struct {
		name, in string
		keep     int64
		text     string
		size     int64
		more     bool
		err      error
	}{
		{"short", "abc\n", 10, "abc", 3, false, nil},
		{"empty", "\n", 10, "", 0, false, nil},
		{"cut", "abcdef\n", 3, "abc", 6, false, nil},
		{"followed", "abc\nx", 10, "abc", 3, true, nil},
		{"long", strings.Repeat("x", 100_000) + "\n", 1 << 20, strings.Repeat("x", 100_000), 100_000, false, nil},
		{"long, cut", strings.Repeat("x", 100_000) + "\n", 50_000, strings.Repeat("x", 50_000), 100_000, false, nil},
		{"long, followed", strings.Repeat("x", 100_000) + "\nz", 50_000, strings.Repeat("x", 50_000), 100_000, true, nil},
		{"just as long", strings.Repeat("x", 50_000) + "\n", 50_000, strings.Repeat("x", 50_000), 50_000, false, nil},
		{"ends", "", 10, "", 0, false, io.EOF},
		{"ends early", "abc", 10, "", 0, false, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := nextLine(strings.NewReader(tt.in), func() (int64, error) { return tt.keep, nil })
			if !errors.Is(err, tt.err) || err == nil && (string(l.text) != tt.text || l.size != tt.size || l.more != tt.more) {
				t.Errorf("got %.50q, size %d, more %v, %v", l.text, l.size, l.more, err)
			}
		})
	}
}

// endless is a line that never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestLineReaderEndless(t *testing.T) {
	if _, err := nextLine(endless{}, func() (int64, error) { return 100, nil }); !errors.Is(err, errFrame) {
		t.Errorf("error %v, want errFrame", err)
	}
}

func TestLineReaderIdle(t *testing.T) {
	if _, err := nextLine(strings.NewReader("x\n"), func() (int64, error) { return 0, errIdleReply }); !errors.Is(err, errIdleReply) {
		t.Errorf("error %v", err)
	}
}

func TestParseReply(t *testing.T) {
	tests := []struct {
		in   string
		ok   bool
		body string
		bad  bool
	}{
		{anID + ` 200 {"a":1}`, true, `{"a":1}`, false},
		{anID + ` 502 {}`, false, `{}`, false},
		{anID + ` 200 `, true, ``, false},
		{anID + ` 200`, false, ``, true},
		{strings.Repeat("0", 32) + ` 200 {}`, false, ``, true},
		{`{}`, false, ``, true},
		{``, false, ``, true},
	}
	for _, tt := range tests {
		r, err := parseReply(line{text: []byte(tt.in), size: int64(len(tt.in))}, []byte(anID))
		if (err != nil) != tt.bad || err == nil && (r.ok != tt.ok || string(r.body) != tt.body || r.size != int64(len(tt.body))) {
			t.Errorf("%q: got %+v, %v", tt.in, r, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte(anID+" 200 {}\n"), int64(10), true)
	f.Add([]byte(anID+" 502 "+strings.Repeat("x", 9000)+"\nmore"), int64(5000), false)
	f.Add([]byte("\n"), int64(0), true)
	f.Fuzz(func(t *testing.T, in []byte, keep int64, byBytes bool) {
		if keep < 0 || keep > 1<<16 {
			return
		}
		var r io.Reader = bytes.NewReader(in)
		if byBytes {
			r = iotest.OneByteReader(r)
		}
		l, err := nextLine(r, func() (int64, error) { return keep, nil })
		i := bytes.IndexByte(in, '\n')
		if (err == nil) != (i >= 0) {
			t.Fatalf("error %v of a line that ends at %d", err, i)
		}
		if err != nil {
			return
		}
		if l.size != int64(i) || !bytes.Equal(l.text, in[:min(int64(i), keep)]) {
			t.Fatalf("got %q of %d, want %q of %d", l.text, l.size, in[:min(int64(i), keep)], i)
		}
		if rep, err := parseReply(l, []byte(anID)); err == nil && int64(len(rep.body)) > keep {
			t.Fatalf("body of %d bytes, limit %d", len(rep.body), keep)
		}
	})
}
