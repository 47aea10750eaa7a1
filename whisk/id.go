package whisk

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// ActivationID names one activation. Its text is 32 lower-case hexadecimal
// digits. The zero value means "none".
type ActivationID [16]byte

// NewActivationID returns a fresh id: a version 7 UUID (RFC 9562) without its
// dashes, that is the time in milliseconds and then 74 random bits. Ids made
// close in time stand close in an index, so that a store appends to its index
// of ids instead of changing a page of it for every record.
func NewActivationID() ActivationID {
	var id ActivationID
	rand.Read(id[:]) // never fails since Go 1.24
	ms := uint64(time.Now().UnixMilli())
	id[0], id[1], id[2] = byte(ms>>40), byte(ms>>32), byte(ms>>24)
	id[3], id[4], id[5] = byte(ms>>16), byte(ms>>8), byte(ms)
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseActivationID reads the text of an id. Errors are of kind
// [BadRequest] and carry OpenWhisk's messages.
func ParseActivationID(s string) (ActivationID, error) {
	var id ActivationID
	if len(s) != 32 {
		return id, Errorf(BadRequest, "Activation id length is %d but must be 32.", len(s))
	}
	for i := range 32 {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ActivationID{}, Errorf(BadRequest, "The activation id is not valid.")
		}
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ActivationID{}, fmt.Errorf("activation id: %w", err)
	}
	return id, nil
}

// String returns the 32 digits, or "" for the zero id.
func (id ActivationID) String() string {
	if id.IsZero() {
		return ""
	}
	var b [32]byte
	hex.Encode(b[:], id[:])
	return string(b[:])
}

// IsZero reports whether id names no activation.
func (id ActivationID) IsZero() bool { return id == ActivationID{} }

// MarshalText implements encoding.TextMarshaler.
func (id ActivationID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty text is the zero id.
func (id *ActivationID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = ActivationID{}
		return nil
	}
	v, err := ParseActivationID(string(b))
	if err == nil {
		*id = v
	}
	return err
}

// Digest is the SHA-256 of an action's code, as stored and as sandboxes cache
// it. The zero value means "no code".
type Digest [32]byte

// String returns 64 hexadecimal digits, or "" for the zero digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// IsZero reports whether there is no code.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty text is the zero digest.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Digest{}
		return nil
	}
	if len(b) != 64 {
		return fmt.Errorf("digest has %d digits, want 64", len(b))
	}
	_, err := hex.Decode(d[:], b)
	return err
}
