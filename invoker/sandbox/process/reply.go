package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// discardLimit bounds what is read of a reply beyond the part that is kept;
// a longer one counts as misbehaviour.
const discardLimit = 64 << 20

// headLength bounds a launcher's reply before its body: id, status, spaces.
const headLength = 32 + 1 + 3 + 1

// errFrame is a reply that breaks the protocol.
var errFrame = errors.New("bad reply frame")

// reply is one answer.
type reply struct {
	ok   bool
	body []byte // cut to what was asked for
	size int64  // before the cut
	more bool   // further bytes came right behind it
}

// lineReader reads reply lines from a pipe. Between replies it holds a small
// buffer only.
type lineReader struct {
	r   io.Reader
	buf [4 << 10]byte
}

// line is one line without its newline: the first keep bytes, the length of
// the whole, and whether anything followed in the same read.
type line struct {
	text []byte
	size int64
	more bool
}

// next reads one line. begin is called when its first bytes are here and says
// how many to keep; its error ends the reading.
func (lr *lineReader) next(begin func() (keep int64, err error)) (line, error) {
	n, err := readSome(lr.r, lr.buf[:])
	if err != nil {
		return line{}, err
	}
	keep, err := begin()
	if err != nil {
		return line{}, err
	}
	if i := bytes.IndexByte(lr.buf[:n], '\n'); i >= 0 {
		return line{bytes.Clone(lr.buf[:min(int64(i), keep)]), int64(i), i+1 < n}, nil
	}
	text := append(make([]byte, 0, min(16*int64(len(lr.buf)), keep+1)), lr.buf[:n]...)
	for int64(len(text)) < keep {
		if len(text) == cap(text) {
			grown := make([]byte, len(text), min(2*int64(cap(text)), keep+1))
			copy(grown, text)
			text = grown
		}
		was := len(text)
		n, err := readSome(lr.r, text[was:cap(text)])
		if err != nil {
			return line{}, unexpected(err)
		}
		text = text[:was+n]
		if i := bytes.IndexByte(text[was:], '\n'); i >= 0 {
			end := was + i
			return line{text[:min(int64(end), keep)], int64(end), end+1 < len(text)}, nil
		}
	}
	size, more, err := lr.discard(int64(len(text)), keep+discardLimit)
	return line{text[:keep], size, more}, err
}

// discard reads to the end of a line of which size bytes are read.
func (lr *lineReader) discard(size, limit int64) (total int64, more bool, err error) {
	for size < limit {
		n, err := readSome(lr.r, lr.buf[:])
		if err != nil {
			return size, false, unexpected(err)
		}
		if i := bytes.IndexByte(lr.buf[:n], '\n'); i >= 0 {
			return size + int64(i), i+1 < n, nil
		}
		size += int64(n)
	}
	return size, false, fmt.Errorf("%w: longer than %d bytes", errFrame, limit)
}

// parseReply takes a launcher's line apart: "id status body".
func parseReply(l line, id string) (reply, error) {
	t := l.text
	if len(t) < headLength || t[32] != ' ' || t[36] != ' ' {
		return reply{}, fmt.Errorf("%w: no id and status", errFrame)
	}
	if string(t[:32]) != id {
		return reply{}, fmt.Errorf("%w: for another activation", errFrame)
	}
	return reply{ok: string(t[33:36]) == "200", body: t[headLength:], size: l.size - headLength, more: l.more}, nil
}

// readSome reads at least one byte.
func readSome(r io.Reader, b []byte) (int, error) {
	for range 100 {
		if n, err := r.Read(b); n > 0 || err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
