package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"hearth/whisk"
)

func TestParseHead(t *testing.T) {
	const most = 1 << 20
	for _, tt := range []struct {
		name  string
		h     head
		spoil func([]byte)
		ok    bool
	}{
		{"ping", head{typ: framePing}, nil, true},
		{"whole", head{size: 10, total: 10, typ: frameCall, number: 1}, nil, true},
		{"piece", head{size: maxFrame, total: most, typ: frameReply, number: 1 << 60}, nil, true},
		{"frame too large", head{size: maxFrame + 1, total: most, typ: frameCall}, nil, false},
		{"message too large", head{size: 1, total: most + 1, typ: frameCall}, nil, false},
		{"huge", head{size: 1, total: 1<<32 - 1, typ: frameCode}, nil, false},
		{"frame larger than message", head{size: 11, total: 10, typ: frameCall}, nil, false},
		{"empty piece", head{size: 0, total: 10, typ: frameCall}, nil, false},
		{"ping with payload", head{size: 1, total: 1, typ: framePing}, nil, false},
		{"large lookup", head{size: 21, total: 21, typ: frameLookup}, nil, false},
		{"no type", head{}, nil, false},
		{"unknown type", head{typ: frameTypes}, nil, false},
		{"reserved byte", head{typ: framePing}, func(b []byte) { b[10] = 1 }, false},
	} {
		b := appendHead(nil, tt.h)
		if tt.spoil != nil {
			tt.spoil(b)
		}
		got, err := parseHead(b, most)
		if (err == nil) != tt.ok || tt.ok && got != tt.h {
			t.Errorf("%s: got %+v, %v; want ok = %v", tt.name, got, err, tt.ok)
		}
		if err != nil && !errors.Is(err, errProtocol) {
			t.Errorf("%s: %v is no protocol error", tt.name, err)
		}
	}
}

func TestParts(t *testing.T) {
	for _, parts := range [][][]byte{{{}}, {[]byte("a"), nil, bytes.Repeat([]byte{0}, 1000)}} {
		b := appendParts(nil, parts)
		if len(b) != sizeOf(parts) {
			t.Errorf("size = %d, want %d", len(b), sizeOf(parts))
		}
		got := make([][]byte, len(parts))
		dst := make([]*[]byte, len(parts))
		for i := range got {
			dst[i] = &got[i]
		}
		if err := splitParts(b, dst...); err != nil {
			t.Error(err)
		}
		for i := range parts {
			if !bytes.Equal(got[i], parts[i]) {
				t.Errorf("part %d = %q, want %q", i, got[i], parts[i])
			}
		}
		if splitParts(b[:len(b)-1], dst...) == nil || splitParts(append(b, 0), dst...) == nil {
			t.Error("a payload that is cut or too long was taken")
		}
	}
}

func TestPreface(t *testing.T) {
	for _, tt := range []struct {
		text string
		want uint8 // 0: refused
	}{
		{preface + string(rune(Version)), Version},
		{preface + string(rune(Version+1)), Version},
		{preface + string(rune(oldest-1)), 0},
		{"GET / HTTP/1.1\r\n", 0},
		{preface, 0},
		{"", 0},
	} {
		if got, err := readPreface(bytes.NewReader([]byte(tt.text))); got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("%q: version %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

// reader is a connection that has the bytes to read and swallows writes.
type reader struct {
	net.Conn
	io.Reader
}

func (r reader) Read(b []byte) (int, error)     { return r.Reader.Read(b) }
func (reader) Close() error                     { return nil }
func (reader) SetReadDeadline(time.Time) error  { return nil }
func (reader) Write(b []byte) (int, error)      { return len(b), nil }
func (reader) SetWriteDeadline(time.Time) error { return nil }
func (reader) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func newReader(b []byte) reader                 { return reader{Reader: bytes.NewReader(b)} }
func yes(int) bool                              { return true }
func framed(t frameType, n uint64, p ...[]byte) []byte {
	size := sizeOf(p)
	return appendParts(appendHead(nil, head{size: size, total: size, typ: t, number: n}), p)
}

func bare(t frameType, payload []byte) []byte {
	return append(appendHead(nil, head{size: len(payload), total: len(payload), typ: t}), payload...)
}

// FuzzRead feeds a link bytes as from a hostile peer: it never reads past
// them, never panics, and never makes more of them than there are.
func FuzzRead(f *testing.F) {
	f.Add(framed(framePing, 0))
	f.Add(append(framed(frameGo, 1), framed(frameLookup, 2, make([]byte, 16))...))
	f.Add(appendHead(nil, head{size: 5, total: 1 << 15, typ: frameCall, number: 1}))
	o := newOutgoing(frameCall, 3, sizeOf([][]byte{make([]byte, 3*maxFrame)}), nil, [][]byte{make([]byte, 3*maxFrame)})
	var large []byte
	for o.framed < o.frames {
		var payload net.Buffers
		large, payload, _ = o.piece(large)
		large = append(append(large, bytes.Join(payload, nil)...), framed(framePing, 0)...)
	}
	f.Add(large)
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newLink(newReader(b), 1<<20, 1<<20, time.Second)
		total := 0
		err := l.read(func(n int) bool { return n%2 == 0 }, func() {}, func(f frame) error {
			if total += f.size; !f.dropped && len(f.payload) != f.size {
				t.Fatalf("payload has %d bytes, the head says %d", len(f.payload), f.size)
			}
			return nil
		})
		if err == nil || total > len(b) {
			t.Fatalf("%d bytes of payload from %d bytes, %v", total, len(b), err)
		}
	})
}

// FuzzMessages decodes a payload as every kind of message. What can be read
// can be written and read again.
func FuzzMessages(f *testing.F) {
	for _, b := range seedMessages() {
		f.Add(b)
	}
	f.Add(binary.BigEndian.AppendUint32(nil, 1<<31))
	of := newCall()
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, c2 whisk.Call
		if decodeCall(&c, b, false, heard{{}}) == nil {
			if err := decodeCall(&c2, callPayload(&c), false, nil); err != nil || !reflect.DeepEqual(c, c2) {
				t.Errorf("call %+v became %+v, %v", c, c2, err)
			}
		}
		for _, of := range []*whisk.Call{of, nil} {
			if r, err := decodeReply(b, false, of); err == nil {
				if r2, err := decodeReply(replyPayload(r, of, 64<<20), false, of); err != nil || !reflect.DeepEqual(r, r2) {
					t.Errorf("reply %+v became %+v, %v", r, r2, err)
				}
			}
		}
		_, _ = decodeLookup(b)
		_, _ = decodeUnacked(b, 10)
		_ = new(heard).learn(b)
		_, _ = decodeLogs(b)
		_, _ = decodeIDs(b)
	})
}
