package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"hearth/whisk"
)

type frameKind uint8

const (
	recordFrame frameKind = 1
	ackFrame    frameKind = 2
)

const headerSize = 4 + 4 + 1 + 16 + 4 + 4

var (
	magic      = []byte{0, 'H', 'J', 1}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errDamaged = errors.New("damaged frame")
)

// frame is one frame; its slices may point into the buffer it was read from.
type frame struct {
	kind       frameKind
	id         whisk.ActivationID
	head, tail []byte
}

func (f frame) size() int { return headerSize + len(f.head) + len(f.tail) }

// appendFrame appends f's bytes to b.
func appendFrame(b []byte, f frame) []byte {
	at := len(b)
	b = append(b, magic...)
	b = append(b, 0, 0, 0, 0, byte(f.kind))
	b = append(b, f.id[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.head)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.tail)))
	b = append(b, f.head...)
	b = append(b, f.tail...)
	binary.LittleEndian.PutUint32(b[at+4:], crc32.Checksum(b[at+8:], castagnoli))
	return b
}

// readFrame reads the frame at the start of b; errDamaged if there is no whole
// one.
func readFrame(b []byte) (frame, error) {
	if len(b) < headerSize || !bytes.HasPrefix(b, magic) {
		return frame{}, errDamaged
	}
	head := int64(binary.LittleEndian.Uint32(b[25:]))
	tail := int64(binary.LittleEndian.Uint32(b[29:]))
	end := headerSize + head + tail
	if end > int64(len(b)) || binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:end], castagnoli) {
		return frame{}, errDamaged
	}
	f := frame{kind: frameKind(b[8]), head: b[headerSize : headerSize+head], tail: b[headerSize+head : end]}
	copy(f.id[:], b[9:])
	return f, nil
}

// scan calls f with each whole frame of b and its offset, in order. It returns
// where the last whole frame ends and how many damaged stretches lie before
// that; what is behind it is torn.
func scan(b []byte, f func(off int, fr frame)) (end, damaged int) {
	for off := 0; off < len(b); {
		fr, err := readFrame(b[off:])
		if err != nil {
			i := bytes.Index(b[off+1:], magic)
			if i < 0 {
				break
			}
			off += 1 + i
			continue
		}
		if off > end {
			damaged++
		}
		f(off, fr)
		off += fr.size()
		end = off
	}
	return end, damaged
}

// encode returns a record as a frame. Its head is appended to b.
func encode(b []byte, rec *whisk.Activation) (frame, error) {
	h := appendHead(b, rec)
	if bytes.IndexByte(rec.Response.Result, 0) >= 0 {
		return frame{}, fmt.Errorf("%w: %s: its result is not JSON", ErrUnfit, rec.ID)
	}
	f := frame{kind: recordFrame, id: rec.ID, head: h, tail: rec.Response.Result}
	if int64(f.size()) > math.MaxInt32 {
		return frame{}, fmt.Errorf("%w: %s: %d bytes are too many", ErrUnfit, rec.ID, f.size())
	}
	return f, nil
}

// decode returns the record of a frame; its result points into the frame.
func decode(f frame) (*whisk.Activation, error) {
	var rec whisk.Activation
	if f.kind != recordFrame {
		return nil, fmt.Errorf("a frame of kind %d holds no record", f.kind)
	}
	if err := json.Unmarshal(f.head, &rec); err != nil {
		return nil, fmt.Errorf("decode record %s: %w", f.id, err)
	}
	if rec.ID != f.id {
		return nil, fmt.Errorf("decode record %s: it names itself %s", f.id, rec.ID)
	}
	if len(f.tail) > 0 {
		rec.Response.Result = f.tail
	}
	return &rec, nil
}

// encodeAcks returns ids as a frame; decodeAcks is its inverse.
func encodeAcks(ids []whisk.ActivationID) frame {
	b := make([]byte, 0, 16*len(ids))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return frame{kind: ackFrame, head: b}
}

func decodeAcks(f frame, each func(whisk.ActivationID)) {
	for b := f.head; len(b) >= 16; b = b[16:] {
		each(whisk.ActivationID(b[:16]))
	}
}
