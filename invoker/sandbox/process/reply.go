package process

import (
	"bytes"
	"errors"
	"fmt"
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

// lineReader makes reply lines of what comes by a pipe, piece by piece. Between
// replies it holds a small buffer only.
type lineReader struct {
	buf  [4 << 10]byte
	open bool   // a line has begun and not ended
	text []byte // of the open line, at least until keep is reached
	size int64  // of the open line so far
	keep int64
}

// line is one line without its newline: the first keep bytes, the length of
// the whole, and whether anything followed in the same piece.
type line struct {
	text []byte
	size int64
	more bool
}

// keeping reports whether the next piece is kept.
func (lr *lineReader) keeping() bool { return lr.open && int64(len(lr.text)) < lr.keep }

// room returns where the next piece is to be put, never empty.
func (lr *lineReader) room() []byte {
	if !lr.keeping() {
		return lr.buf[:]
	}
	if len(lr.text) == cap(lr.text) {
		grown := make([]byte, len(lr.text), min(2*int64(cap(lr.text)), lr.keep+1))
		copy(grown, lr.text)
		lr.text = grown
	}
	return lr.text[len(lr.text):cap(lr.text)]
}

// take takes the next piece, n bytes in room, and reports whether it ended a
// line. begin is called when it is the first of a line and says how many bytes
// to keep; its error is returned.
func (lr *lineReader) take(n int, begin func() (keep int64, err error)) (l line, whole bool, err error) {
	if !lr.open {
		if lr.keep, err = begin(); err != nil {
			return line{}, false, err
		}
		piece := lr.buf[:n]
		if i := bytes.IndexByte(piece, '\n'); i >= 0 {
			return line{bytes.Clone(piece[:min(int64(i), lr.keep)]), int64(i), i+1 < n}, true, nil
		}
		lr.text = append(make([]byte, 0, min(16*int64(len(lr.buf)), lr.keep+1)), piece...)
		lr.open, lr.size = true, int64(n)
		return line{}, false, nil
	}
	var piece []byte
	if lr.keeping() {
		was := len(lr.text)
		lr.text = lr.text[:was+n]
		piece = lr.text[was:]
	} else {
		piece = lr.buf[:n]
	}
	i := bytes.IndexByte(piece, '\n')
	if i < 0 {
		if lr.size += int64(n); lr.size > lr.keep+discardLimit {
			return line{}, false, fmt.Errorf("%w: longer than %d bytes", errFrame, lr.keep+discardLimit)
		}
		return line{}, false, nil
	}
	size := lr.size + int64(i)
	l = line{lr.text[:min(size, lr.keep)], size, i+1 < n}
	lr.open, lr.text, lr.size = false, nil, 0
	return l, true, nil
}

// parseReply takes a launcher's line apart: "id status body".
func parseReply(l line, id []byte) (reply, error) {
	t := l.text
	if len(t) < headLength || t[32] != ' ' || t[36] != ' ' {
		return reply{}, fmt.Errorf("%w: no id and status", errFrame)
	}
	if !bytes.Equal(t[:32], id) {
		return reply{}, fmt.Errorf("%w: for another activation", errFrame)
	}
	return reply{ok: string(t[33:36]) == "200", body: t[headLength:], size: l.size - headLength, more: l.more}, nil
}
