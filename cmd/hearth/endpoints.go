package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
)

// endpoints is what a server writes into its data folder when it is ready, for
// scripts: where it listens and which process it is.
type endpoints struct {
	PID    int    `json:"PID"`
	API    string `json:"API,omitempty"`    // http://host:port
	TLS    string `json:"TLS,omitempty"`    // https://host:port
	Ops    string `json:"Ops,omitempty"`    // http://host:port
	Admin  string `json:"Admin,omitempty"`  // the admin API's URL; "": there is none
	Memory bool   `json:"Memory,omitempty"` // state is kept in memory, not in the folder
}

// setProcess fills in this process and its listener for operators, which may
// be nil.
func (e *endpoints) setProcess(ops net.Listener) {
	e.PID = os.Getpid()
	if ops != nil {
		e.Ops = reachable("http", ops.Addr())
	}
}

const endpointsFile = "endpoints.json"

func (e endpoints) write(dir string) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return writeSecret(filepath.Join(dir, endpointsFile), append(b, '\n'))
}

// readEndpoints returns what the server on a data folder has written, or the
// zero value if it is not ready.
func readEndpoints(dir string) (e endpoints, err error) {
	b, err := os.ReadFile(filepath.Join(dir, endpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &e)
	}
	return e, err
}

func removeEndpoints(dir string) error {
	err := os.Remove(filepath.Join(dir, endpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// listen opens a TCP listener. If the address is taken the error says what to
// do, with the flag's name.
func listen(flag, addr string) (net.Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w (choose another with --%s HOST:PORT; port 0 takes a free one)", flag, err, flag)
	}
	return ln, nil
}

// isLoopback reports whether everything that addr listens on is reachable from
// this machine only.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// reachable returns the URL by which this machine reaches a listener.
func reachable(scheme string, a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return scheme + "://" + a.String()
	}
	host := t.IP.String()
	if t.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(t.Port))
}
