package wire

import (
	"encoding/binary"
	"math"

	"hearth/whisk"
)

// Headers are rows of values without names, in the order that the append
// functions give: an integer is a varint (signed ones in zigzag), a text its
// length and its bytes, a set of flags one byte.

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendFlags appends up to eight flags as one byte.
func appendFlags(b []byte, flags ...bool) []byte {
	var set byte
	for i, on := range flags {
		if on {
			set |= 1 << i
		}
	}
	return append(b, set)
}

// cursor reads a header. What is missing or malformed reads as zero: the
// caller asks for the error once, at the end.
type cursor struct {
	all  []byte
	at   int
	text string // a copy of all, made for the first text: they share it
	bad  bool
}

func newCursor(header []byte) cursor { return cursor{all: header} }

// err returns nil if the header was read to its end and nothing was wrong.
func (r *cursor) err(what string) error {
	if r.bad || r.at != len(r.all) {
		return protocolError("malformed header of a %s", what)
	}
	return nil
}

// take returns the next n bytes, nil if there are fewer.
func (r *cursor) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.all)-r.at) {
		r.bad = true
		return nil
	}
	b := r.all[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

func (r *cursor) uvarint() uint64 {
	if r.at < len(r.all) && r.all[r.at] < 0x80 && !r.bad { // most are small
		r.at++
		return uint64(r.all[r.at-1])
	}
	v, n := binary.Uvarint(r.all[r.at:])
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.at += n
	return v
}

func (r *cursor) uint32() uint32 {
	v := r.uvarint()
	if v > math.MaxUint32 {
		r.bad = true
	}
	return uint32(v)
}

func (r *cursor) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// flags reads up to eight flags; others than these must not be set.
func (r *cursor) flags(flags ...*bool) {
	b := r.take(1)
	if b == nil {
		return
	}
	for i, f := range flags {
		*f = b[0]&(1<<i) != 0
	}
	if b[0]>>len(flags) != 0 {
		r.bad = true
	}
}

func (r *cursor) string() string {
	b := r.take(r.uvarint())
	if len(b) == 0 {
		return ""
	}
	if r.text == "" {
		r.text = string(r.all)
	}
	return r.text[r.at-len(b) : r.at]
}

func (r *cursor) id() (id whisk.ActivationID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}
