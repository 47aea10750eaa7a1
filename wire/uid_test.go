package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Another user who gets at the socket is refused by its uid.
func TestOtherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can connect as another user")
	}
	dir, err := os.MkdirTemp("", "hearth-wire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	ln, err := Listen("unix:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	fd := make(chan int, 1)
	go func() {
		// The uid of this thread alone is changed, so the thread must end with
		// the goroutine: it stays locked.
		runtime.LockOSThread()
		const nobody = 65534
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); e != 0 {
			t.Errorf("setresuid: %v", e)
		}
		s, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err == nil {
			err = syscall.Connect(s, &syscall.SockaddrUnix{Name: path})
		}
		if err != nil {
			t.Errorf("connect: %v", err)
		}
		fd <- s
	}()
	theirs := os.NewFile(uintptr(<-fd), "socket")
	defer theirs.Close()
	if err := ln.(*net.UnixListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(DefaultServerConfig(), &echo{}, hello)
	s.serve(t.Context(), conn)
	_ = conn.Close()
	if b, err := io.ReadAll(theirs); err != nil || len(b) > 0 {
		t.Errorf("a stranger read %q, %v", b, err)
	}
	if got := s.refusals.last; got.IsZero() {
		t.Error("the connection was not refused")
	}
}
