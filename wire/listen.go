package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Addresses are "unix:/path" (or an absolute path alone) for a unix socket,
// else "host:port".
func unixPath(addr string) (string, bool) {
	if p, ok := strings.CutPrefix(addr, "unix:"); ok {
		return p, true
	}
	return addr, strings.HasPrefix(addr, "/")
}

// Listen opens a listener for [Server.Serve]. A unix socket gets the mode
// 0600, and one that nobody listens on any more is replaced. TCP needs a TLS
// configuration (see [ServerTLS]).
func Listen(addr string, t *tls.Config) (net.Listener, error) {
	path, ok := unixPath(addr)
	if !ok {
		if t == nil {
			return nil, fmt.Errorf("wire: listen on %s: TCP needs certificates", addr)
		}
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		return sealedListener{ln, t}, nil
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("wire: listen on %s: %w", addr, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	// Before this a peer of another uid may connect; the uid check refuses it.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// removeStale removes a socket that refuses connections: its process is gone.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is no socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(errors.New("another process listens there"), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// Dialer returns how to reach an invoker: a unix socket, whose owner must have
// this process's uid or be root, or TCP with a TLS configuration (see
// [ClientTLS]).
func Dialer(addr string, t *tls.Config) (Dial, error) {
	if path, ok := unixPath(addr); ok {
		return func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "unix", path)
			if err != nil {
				return nil, err
			}
			if err := checkUID(conn.(*net.UnixConn)); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return conn, nil
		}, nil
	}
	if t == nil {
		return nil, fmt.Errorf("wire: dial %s: TCP needs certificates", addr)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("wire: dial %s: %w", addr, err)
	}
	if t.ServerName == "" {
		t = t.Clone()
		t.ServerName = host
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		bare, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(newSealer(bare), t)
		if err := conn.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, bare.Close())
		}
		return conn, nil
	}, nil
}

// checkUID returns nil if the peer of a unix socket has this process's uid or
// is root.
func checkUID(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var cred *syscall.Ucred
	var got error
	if err := raw.Control(func(fd uintptr) {
		cred, got = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if got != nil {
		return fmt.Errorf("peer's uid: %w", got)
	}
	return allowUID(cred.Uid, uint32(os.Geteuid()))
}

func allowUID(peer, own uint32) error {
	if peer != own && peer != 0 {
		return fmt.Errorf("the peer's uid is %d, want %d or root", peer, own)
	}
	return nil
}
