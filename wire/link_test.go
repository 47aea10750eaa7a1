package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// linked returns two ends of a connection with their writers running.
func linked(t *testing.T, most int) (a, b *link) {
	ca, cb := net.Pipe()
	a, b = newLink(ca, 16<<20, most, 10*time.Second), newLink(cb, 16<<20, most, 10*time.Second)
	var wg sync.WaitGroup
	wg.Go(a.write)
	wg.Go(b.write)
	t.Cleanup(func() {
		a.shut(io.EOF)
		b.shut(io.EOF)
		wg.Wait()
	})
	return a, b
}

// A small message passes a large one of another number, but not one of its own.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := linked(t, 32<<20)
		big := bytes.Repeat([]byte("0123456789"), 1<<17)
		for _, err := range []error{
			a.send(frameCode, 1, nil, big), a.send(frameCode, 2, nil, big), a.send(frameGo, 1, nil), a.send(frameCancel, 2, nil), a.send(framePing, 0, nil), a.send(frameGo, 3, nil),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := readPreface(b.in); err != nil {
			t.Fatal(err)
		}
		type got struct {
			typ    frameType
			number uint64
		}
		var order []got
		err := b.read(yes, func() {}, func(f frame) error {
			if f.typ == frameCode {
				if code, _, err := nextPart(f.payload); err != nil || !bytes.Equal(code, big) {
					t.Errorf("%d bytes arrived, %v", len(code), err)
				}
			}
			if order = append(order, got{f.typ, f.number}); len(order) == 6 {
				return io.EOF
			}
			return nil
		})
		want := []got{{framePing, 0}, {frameGo, 3}, {frameCode, 1}, {frameCode, 2}, {frameGo, 1}, {frameCancel, 2}}
		if !errors.Is(err, io.EOF) || len(order) != len(want) {
			t.Fatalf("order = %v, %v", order, err)
		}
		for i := range want {
			if order[i] != want[i] {
				t.Errorf("order = %v, want %v", order, want)
				break
			}
		}
		synctest.Wait()
		if a.queued != 0 || len(a.large) != 0 {
			t.Errorf("%d bytes are left queued", a.queued)
		}
	})
}

// What was written whole when the connection broke counts as sent, no more.
func TestSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		l := newLink(ca, 16<<20, 32<<20, 10*time.Second)
		var whole, cut, never, large, late mark
		if err := l.sendMarked(&whole, frameLookup, 1, nil, make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		upTo := len(l.ready)
		_ = l.sendMarked(&cut, frameLookup, 2, nil, make([]byte, 16))
		_ = l.sendMarked(&large, frameCode, 3, nil, make([]byte, 1<<20))
		done := make(chan struct{})
		go func() { l.write(); close(done) }()
		if _, err := io.ReadFull(cb, make([]byte, upTo+10)); err != nil {
			t.Fatal(err)
		}
		_ = l.sendMarked(&never, frameGo, 4, nil)
		_ = cb.Close()
		<-done
		if err := l.sendMarked(&late, frameGo, 5, nil); err == nil {
			t.Error("a broken link takes messages")
		}
		for _, tt := range []struct {
			name string
			at   mark
			want bool
		}{{"whole", whole, true}, {"cut", cut, false}, {"large", large, false}, {"never", never, false}, {"late", late, false}} {
			if got := l.sent(tt.at); got != tt.want {
				t.Errorf("%s: sent = %v, want %v", tt.name, got, tt.want)
			}
		}
	})
}

func TestSentLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		l := newLink(ca, 16<<20, 32<<20, 10*time.Second)
		var large, small mark
		_ = l.sendMarked(&large, frameCode, 3, nil, make([]byte, 1<<20))
		go l.write()
		go func() { _, _ = io.Copy(io.Discard, cb) }()
		synctest.Wait()
		_ = l.sendMarked(&small, frameGo, 3, nil)
		synctest.Wait()
		l.shut(nil)
		synctest.Wait()
		if !l.sent(large) || !l.sent(small) {
			t.Errorf("sent = %v, %v, want both", l.sent(large), l.sent(small))
		}
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := linked(t, 64<<10)
		begun := time.Now()
		var err error
		n := 0
		for ; err == nil; n++ {
			err = a.send(frameCall, uint64(n), nil, make([]byte, 1<<10))
		}
		if !errors.Is(err, errSlow) || n > 70 {
			t.Errorf("took %d messages, then %v", n, err)
		}
		<-a.gone // the write deadline
		if got := time.Since(begun); got != 10*time.Second {
			t.Errorf("gave up after %v, want 10s", got)
		}
		if err := a.send(framePing, 0, nil); err == nil {
			t.Error("a broken link takes messages")
		}
	})
}

func TestTooLargeToSend(t *testing.T) {
	a, _ := linked(t, 64<<20)
	if err := a.send(frameCode, 1, nil, make([]byte, 16<<20)); !errors.Is(err, errTooLarge) {
		t.Errorf("got %v, want %v", err, errTooLarge)
	}
	if err := a.send(framePing, 0, nil); err != nil {
		t.Errorf("the link is broken: %v", err)
	}
}

func TestForeignPiece(t *testing.T) {
	for _, second := range []head{
		{size: 5, total: 100, typ: frameCall, number: 2},
		{size: 5, total: 100, typ: frameCode, number: 1},
		{size: 5, total: 101, typ: frameCall, number: 1},
		{size: 99, total: 100, typ: frameCall, number: 1}, // more than is left
	} {
		b := append(appendHead(nil, head{size: 5, total: 100, typ: frameCall, number: 1}), "12345"...)
		b = append(appendHead(b, second), make([]byte, second.size)...)
		err := newLink(newReader(b), 1<<20, 1<<20, time.Second).read(yes, func() {}, func(frame) error { return nil })
		if !errors.Is(err, errProtocol) {
			t.Errorf("%+v: %v, want a protocol error", second, err)
		}
	}
}
