package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// A floor is the least that some part of the work can cost on a machine: a
// server that does that part and nothing else. It is made of processes of its
// own, as the platform is, so that it pays for the same context switches.
//
// The parts of floors, each a process (hearth bench floor PART):
//
//	go-echo          net/http answers with the body
//	proxy            net/http/httputil's ReverseProxy in front of another part
//	node-echo        node's own HTTP server answers with the body
//	floor-one        net/http passes the body to four launchers and answers
//	floor-two-front  net/http passes the body to floor-two-back
//	floor-two-back   passes it on to four launchers
//	start            net/http starts a process for each request and answers when that has written a byte
var floors = map[string][]FloorPart{
	"go-echo":      {{Part: "go-echo"}},
	"proxy-1":      {{Part: "go-echo"}, {Part: "proxy"}},
	"proxy-2":      {{Part: "go-echo"}, {Part: "proxy"}, {Part: "proxy"}},
	"node-echo":    {{Part: "node-echo"}},
	"node-proxy":   {{Part: "node-echo"}, {Part: "proxy"}},
	"one":          {{Part: "floor-one", Family: "nodejs"}},
	"one-nodejs":   {{Part: "floor-one", Family: "nodejs"}},
	"one-python":   {{Part: "floor-one", Family: "python"}},
	"one-go":       {{Part: "floor-one", Family: "go"}},
	"one-native":   {{Part: "start", Family: "native"}},
	"two":          {{Part: "floor-two-back"}, {Part: "floor-two-front"}},
	"start-nodejs": {{Part: "start", Family: "nodejs"}},
	"start-python": {{Part: "start", Family: "python"}},
	"start-static": {{Part: "start", Family: "static"}},
}

// FloorAbout says what each floor is.
var FloorAbout = map[string]string{
	"go-echo":      "net/http answers with the body",
	"proxy-1":      "go-echo behind one httputil.ReverseProxy",
	"proxy-2":      "go-echo behind two of them",
	"node-echo":    "node's HTTP server answers with the body",
	"node-proxy":   "node-echo behind one httputil.ReverseProxy",
	"one":          "floor one: net/http passes the body to four node launchers by their pipes",
	"one-nodejs":   "the same",
	"one-python":   "the same with four python launchers",
	"one-go":       "the same with four Go programs that speak ActionLoop",
	"one-native":   "net/http starts /bin/sh for each request, up to its first byte",
	"two":          "floor two: floor one in two processes, joined by a unix socket",
	"start-nodejs": "net/http starts node for each request, up to its first byte",
	"start-python": "net/http starts python3 for each request, up to its first byte",
	"start-static": "net/http starts a static Go program for each request, up to its first byte",
}

// Child runs an action's code outside any sandbox: a launcher, or a program.
type Child interface {
	// Run appends the result of args, both JSON on one line, to dst.
	Run(dst, args []byte) ([]byte, error)
	Close() error
}

// FloorTools is what floors need of the platform's insides; package main hands
// it in.
type FloorTools struct {
	// Launch starts a child of a family of kinds ("nodejs", "python", "go")
	// that echoes its arguments.
	Launch func(family string) (Child, error)
	// Interpreter finds the program of a family.
	Interpreter func(family string) (string, error)
	// Static is the command of a static executable that writes a byte and ends.
	Static []string
}

// FloorPart is one process of a floor.
type FloorPart struct {
	Part     string
	To       string // address of the part behind it, for proxy and floor-two-front
	Family   string // of the children; for start what to start: "nodejs", "python", "native" or "static"
	Children int
}

// DefaultFloorPart returns the settings of a part.
func DefaultFloorPart(part string) FloorPart {
	return FloorPart{Part: part, Family: "nodejs", Children: 4}
}

// floorParts are all parts that ServeFloor knows; node-echo is [NodeEchoCode].
var floorParts = []string{"go-echo", "proxy", "floor-one", "floor-two-front", "floor-two-back", "start"}

// Validate reports a part that cannot be.
func (p FloorPart) Validate() error {
	if !slices.Contains(floorParts, p.Part) {
		return fmt.Errorf("no such part of a floor: %q; there are %s", p.Part, strings.Join(floorParts, ", "))
	}
	needsTo := p.Part == "proxy" || p.Part == "floor-two-front"
	switch {
	case needsTo && p.To == "":
		return fmt.Errorf("%s needs the address of the part behind it", p.Part)
	case p.Children < 1 || p.Children > 1024:
		return fmt.Errorf("%d children: must be within 1 and 1024", p.Children)
	}
	return nil
}

// ServeFloor serves one part on ln until ctx ends. ready is called once it
// takes requests.
func ServeFloor(ctx context.Context, ln net.Listener, p FloorPart, tools FloorTools, ready func()) (err error) {
	if err := p.Validate(); err != nil {
		return errors.Join(err, ln.Close())
	}
	var h http.Handler
	switch p.Part {
	case "go-echo":
		h = goEcho()
	case "proxy":
		h = proxyTo(p.To)
	case "floor-two-front":
		h = echoHandler((&floorConns{path: p.To}).do)
	case "start":
		if h, err = startHandler(p.Family, tools); err != nil {
			return errors.Join(err, ln.Close())
		}
	default:
		pool, err := startChildren(p.Children, func() (Child, error) { return tools.Launch(p.Family) })
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		defer func() { err = errors.Join(err, pool.close()) }()
		if p.Part == "floor-two-back" {
			ready()
			return serveFloorBack(ctx, ln, pool.run)
		}
		h = echoHandler(pool.run)
	}
	ready()
	return serveHTTP(ctx, ln, h)
}
