package api

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// frontListener accepts connections and has those served that the gate lets in,
// once their first header is whole.
type frontListener struct {
	net.Listener
	gate  *frontGate
	serve func(*frontConn) // releases it in the end
	done  chan struct{}
	once  sync.Once
}

func newFrontListener(l net.Listener, g *frontGate, serve func(*frontConn)) *frontListener {
	return &frontListener{Listener: l, gate: g, serve: serve, done: make(chan struct{})}
}

// run accepts connections until the listener is closed, which is no error, or
// fails.
func (l *frontListener) run() error {
	pause := time.Duration(0)
	for {
		nc, err := l.Listener.Accept()
		switch {
		case l.closed():
			if err == nil {
				abortConn(nc)
			}
			return nil
		case isTransient(err):
			// Likely out of descriptors, below the bound: make room.
			l.gate.cfg.Logger.Warn("cannot accept connections", "error", err)
			l.gate.shed()
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(pause):
			case <-l.done:
			}
		case err != nil:
			l.Close()
			return err
		default:
			pause = 0
			if c := l.gate.enter(nc); c == nil {
				abortConn(nc)
			} else {
				go l.receive(c) // the gate counts it until it ends
			}
		}
	}
}

// receive waits for the first header and has the connection served.
func (l *frontListener) receive(c *frontConn) {
	if c.awaitHeader() {
		l.serve(c)
	} else {
		l.gate.release(c)
	}
}

// Close ends run.
func (l *frontListener) Close() error {
	err := net.ErrClosed
	l.once.Do(func() {
		close(l.done)
		err = l.Listener.Close()
	})
	return err
}

func (l *frontListener) closed() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// isTransient reports whether accepting may succeed later.
func isTransient(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// shed displaces one connection that is not being served, if there is one.
func (g *frontGate) shed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shedLocked(netip.Prefix{})
}
