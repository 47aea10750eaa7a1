package process

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// gatedReader lets a bounded number of bytes through, any number once left is
// negative.
type gatedReader struct {
	r    io.ReaderAt
	left int64
}

func (g *gatedReader) ReadAt(b []byte, off int64) (int, error) {
	if g.left >= 0 {
		if g.left -= int64(len(b)); g.left < 0 {
			g.left = 0
			return 0, fmt.Errorf("its directory is longer than %d bytes", maxDirectory)
		}
	}
	return g.r.ReadAt(b, off)
}

// countedReader counts what is read against a bound of its own or, where that
// is negative, against what the unpacker may still write.
type countedReader struct {
	r    io.Reader
	left int64
	u    *unpacker
}

func (c *countedReader) Read(b []byte) (int, error) {
	if err := c.u.goOn(); err != nil {
		return 0, err
	}
	left := &c.left
	if c.left < 0 {
		left = &c.u.left
	}
	n, err := c.r.Read(b)
	if *left -= int64(n); *left < 0 {
		*left = 0
		return 0, fmt.Errorf("it holds more than %d bytes", maxUnpacked)
	}
	return n, err
}

// nameFault reports whether a file could not be made because of its name.
func nameFault(err error) bool {
	return errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EILSEQ) || errors.Is(err, syscall.ELOOP)
}
