package wire

import (
	"encoding/binary"
	"net"
)

// outgoing is a message that is sent in pieces, or one that waits behind such
// a message of its own number.
type outgoing struct {
	typ    frameType
	number uint64
	total  int
	bufs   net.Buffers // what is left to be framed
	left   int         // bytes
	frames int
	framed int
	sent   bool
}

func newOutgoing(typ frameType, number uint64, total int, head []byte, parts [][]byte) *outgoing {
	o := &outgoing{typ: typ, number: number, total: total, left: total}
	lengths := make([]byte, 0, len(head)+4*len(parts))
	lengths = append(lengths, head...)
	for _, p := range parts {
		lengths = binary.BigEndian.AppendUint32(lengths, uint32(len(p)))
		o.bufs = append(o.bufs, lengths, p)
		lengths = lengths[len(lengths):]
	}
	o.frames = max(1, (total+maxFrame-1)/maxFrame)
	return o
}

// piece appends the head of the next frame to b and returns it with the
// frame's payload, which is not copied, and the size of that.
func (o *outgoing) piece(b []byte) (plain []byte, payload net.Buffers, size int) {
	size = min(o.left, maxFrame)
	b = appendHead(b, head{size: size, total: o.total, typ: o.typ, number: o.number})
	o.left -= size
	o.framed++
	for left := size; left > 0; {
		k := min(left, len(o.bufs[0]))
		payload = append(payload, o.bufs[0][:k])
		if o.bufs[0] = o.bufs[0][k:]; len(o.bufs[0]) == 0 {
			o.bufs = o.bufs[1:]
		}
		left -= k
	}
	return b, payload, size
}

// behind reports whether a message of the number has to wait its turn. The
// caller holds mu.
func (l *link) behind(number uint64) bool {
	for _, o := range l.large {
		if o.number == number {
			return true
		}
	}
	return false
}
