package process

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waitEnd waits until the process has ended, and does not reap it. With a
// pidfd it blocks no thread.
func (st started) waitEnd() {
	if st.pidfd >= 0 && unix.SetNonblock(st.pidfd, true) == nil {
		f := os.NewFile(uintptr(st.pidfd), "pidfd")
		defer f.Close()
		if rc, err := f.SyscallConn(); err == nil {
			err = rc.Read(func(fd uintptr) bool { return ended(unix.P_PIDFD, int(fd), unix.WNOHANG) })
			if err == nil {
				return
			}
		}
	}
	for !ended(unix.P_PID, st.pid, 0) {
		time.Sleep(time.Millisecond)
	}
}

// ended asks whether the process has ended, leaving it to be reaped.
func ended(idType, id, flags int) bool {
	var info unix.Siginfo
	err := unix.Waitid(idType, id, &info, unix.WEXITED|unix.WNOWAIT|flags, nil)
	return err == nil && info.Signo != 0 || err == unix.ECHILD //nolint:errorlint // a bare Errno
}
