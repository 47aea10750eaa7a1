package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is the newest version of the protocol that this package speaks, the
// last byte of its preface; oldest is the oldest. Two processes speak the lower
// of their two.
const (
	Version = 2
	oldest  = 2
)

const preface = "HEARTH\x00"

const (
	headSize = 20
	maxFrame = 128 << 10 // payload bytes of one frame
	maxWhole = 32 << 10  // payload bytes of a message that is sent at once
)

// frameType says what a message is.
type frameType uint8

const (
	frameHello frameType = iota + 1
	framePing
	framePong
	frameCall
	frameGo
	frameCancel
	frameCode
	frameAck
	frameLookup
	frameUnacked
	frameReply
	frameLookupAnswer
	frameUnackedAnswer
	frameSetting
	frameTypes // one more than the last
)

// errProtocol is in the chain of every error that a peer's bytes caused.
var errProtocol = errors.New("protocol error")

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errProtocol, fmt.Sprintf(format, args...))
}

// head is a frame's head.
type head struct {
	size   int // payload bytes in this frame
	total  int // payload bytes of the message
	typ    frameType
	number uint64
}

func appendHead(b []byte, h head) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(h.size))
	b = binary.BigEndian.AppendUint32(b, uint32(h.total))
	b = append(b, byte(h.typ), 0, 0, 0)
	return binary.BigEndian.AppendUint64(b, h.number)
}

// parseHead reads a head of headSize bytes and checks it against the bounds;
// maxMessage is that of a message that carries users' bytes.
func parseHead(b []byte, maxMessage int) (head, error) {
	size, total := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	h := head{typ: frameType(b[8]), number: binary.BigEndian.Uint64(b[12:])}
	if h.typ == 0 || h.typ >= frameTypes || b[9]|b[10]|b[11] != 0 {
		return h, protocolError("unknown frame type %d, flags %x", b[8], b[9:12])
	}
	if limit := maxPayload(h.typ, maxMessage); int64(total) > int64(limit) {
		return h, protocolError("message of type %d has %d bytes, at most %d are taken", h.typ, total, limit)
	}
	if size > maxFrame || size > total || size < total && size == 0 {
		return h, protocolError("frame of %d bytes in a message of %d", size, total)
	}
	h.size, h.total = int(size), int(total)
	return h, nil
}

// maxPayload bounds a message's payload by its type.
func maxPayload(t frameType, maxMessage int) int {
	switch t {
	case framePing, framePong, frameGo, frameCancel:
		return 0
	case frameLookup:
		return 4 + 16
	case frameUnacked:
		return 4 + 4
	case frameSetting:
		return maxWhole // that nothing may pass it
	case frameHello, frameAck:
		return min(1<<20, maxMessage)
	}
	return maxMessage
}

// appendPart appends a part.
func appendPart(b, p []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
}

// appendParts appends the payload that consists of the parts.
func appendParts(b []byte, parts [][]byte) []byte {
	for _, p := range parts {
		b = appendPart(b, p)
	}
	return b
}

// sizeOf returns the size of the payload that consists of the parts.
func sizeOf(parts [][]byte) int {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	return n
}

// nextPart cuts the first part off a payload; both results point into it.
func nextPart(payload []byte) (part, rest []byte, err error) {
	if len(payload) < 4 {
		return nil, nil, protocolError("a part's length is missing")
	}
	n := binary.BigEndian.Uint32(payload)
	if uint64(n) > uint64(len(payload)-4) {
		return nil, nil, protocolError("a part of %d bytes in %d", n, len(payload)-4)
	}
	return payload[4 : 4+n : 4+n], payload[4+n:], nil
}

// splitParts cuts a payload into exactly len(dst) parts.
func splitParts(payload []byte, dst ...*[]byte) error {
	var err error
	for _, d := range dst {
		if *d, payload, err = nextPart(payload); err != nil {
			return err
		}
	}
	if len(payload) > 0 {
		return protocolError("%d bytes too many", len(payload))
	}
	return nil
}

// readPreface reads a peer's preface and returns the version to speak with it.
// A peer of a newer version finds out itself whether it can still speak ours.
func readPreface(r io.Reader) (version uint8, err error) {
	var b [len(preface) + 1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, err
	}
	if string(b[:len(preface)]) != preface {
		return 0, protocolError("the peer does not speak Hearth's protocol")
	}
	theirs := b[len(preface)]
	if theirs < oldest {
		return 0, protocolError("the peer speaks version %d, this process versions %d to %d", theirs, oldest, Version)
	}
	return min(theirs, Version), nil
}
