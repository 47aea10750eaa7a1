package bench

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// fakeChild answers with its arguments and a mark.
type fakeChild struct{ open *atomic.Int64 }

func (f fakeChild) Run(dst, args []byte) ([]byte, error) {
	if bytes.Contains(args, []byte("fail")) {
		return dst, errors.New("failed as asked")
	}
	return append(dst, args...), nil
}

func (f fakeChild) Close() error {
	f.open.Add(-1)
	return nil
}

// serveFloor serves a part until the test's end and returns its address.
func serveFloor(t *testing.T, p FloorPart, network string) string {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "hearth-floor-") // sockets' paths must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		addr = filepath.Join(dir, "s")
	}
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	var open atomic.Int64
	tools := FloorTools{
		Launch:      func(string) (Child, error) { open.Add(1); return fakeChild{&open}, nil },
		Interpreter: func(string) (string, error) { return "/bin/sh", nil },
		Static:      []string{"/bin/sh", "-c", "printf !"},
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- ServeFloor(ctx, ln, p, tools, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", p.Part, err)
		}
		if n := open.Load(); n != 0 {
			t.Errorf("%s: %d children are left open", p.Part, n)
		}
	})
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return ln.Addr().String()
}

// TestFloors: each floor answers with the body, small or large, one after the
// other and at once.
func TestFloors(t *testing.T) {
	part := func(name, to string) FloorPart {
		p := DefaultFloorPart(name)
		p.To = to
		return p
	}
	start := func(family string) FloorPart { return FloorPart{Part: "start", Family: family, Children: 1} }
	echo := serveFloor(t, part("go-echo", ""), "tcp")
	for name, addr := range map[string]string{
		"go-echo":      echo,
		"proxy":        serveFloor(t, part("proxy", echo), "tcp"),
		"floor-one":    serveFloor(t, part("floor-one", ""), "tcp"),
		"floor-two":    serveFloor(t, part("floor-two-front", serveFloor(t, part("floor-two-back", ""), "unix")), "tcp"),
		"start static": serveFloor(t, start("static"), "tcp"),
		"start native": serveFloor(t, start("native"), "tcp"),
	} {
		t.Run(name, func(t *testing.T) {
			sizes := []int{MinPayload, 100_000}
			if name == "proxy" { // the standard library's own; scenarios send it small bodies only
				sizes = sizes[:1]
			}
			for _, size := range sizes {
				c := &Case{Payload: size, Do: DoInvoke}
				target, err := c.floorTarget("http://" + addr)
				if err != nil {
					t.Fatal(err)
				}
				defer target.Close()
				res, err := Run(t.Context(), Plan{Arrival: Closed, Concurrency: 8, Count: 40}, target, nil)
				if err != nil || res.Completed != 40 {
					t.Errorf("%d bytes: %d of 40 answered well, errors %v, %v", size, res.Completed, res.Errors, err)
				}
			}
		})
	}
}

func TestFloorsRefuse(t *testing.T) {
	for _, p := range []FloorPart{
		{Part: "cellar", Children: 1},
		{Part: "proxy", Children: 1},
		{Part: "floor-two-front", Children: 1},
		{Part: "floor-one"},
		{Part: "start", Family: "cobol", Children: 1},
	} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := ServeFloor(t.Context(), ln, p, FloorTools{}, func() {}); err == nil {
			t.Errorf("%+v: no error", p)
		}
	}
	// What launchers cannot be started for leaves none behind.
	var open atomic.Int64
	started := 0
	_, err := startChildren(4, func() (Child, error) {
		if started++; started == 3 {
			return nil, errors.New("no more")
		}
		open.Add(1)
		return fakeChild{&open}, nil
	})
	if err == nil || open.Load() != 0 {
		t.Errorf("startChildren: %v, %d left open", err, open.Load())
	}
}

// TestFloorAbout: what can be named is described, and made of known parts.
func TestFloorAbout(t *testing.T) {
	for name, parts := range floors {
		if FloorAbout[name] == "" {
			t.Errorf("nothing is said of floor %s", name)
		}
		for i, p := range parts {
			if p.Part == "node-echo" {
				continue
			}
			p.Children = 1
			if i > 0 {
				p.To = "x"
			}
			if err := p.Validate(); err != nil {
				t.Errorf("floor %s: %v", name, err)
			}
		}
	}
	if len(FloorAbout) != len(floors) {
		t.Errorf("%d floors, %d descriptions", len(floors), len(FloorAbout))
	}
}

func TestReceiveBounds(t *testing.T) {
	for name, frame := range map[string]string{
		"too long":   "\xff\xff\xff\xff",
		"two frames": "\x00\x00\x00\x01ab",
		"cut":        "\x00\x00\x00\x05ab",
	} {
		a, b := net.Pipe()
		go func() {
			_, _ = a.Write([]byte(frame))
			_ = a.Close()
		}()
		c := &floorConn{Conn: b}
		if got, err := c.receive(nil); err == nil {
			t.Errorf("%s: no error, got %q", name, got)
		}
	}
}
