package flow

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"hearth/whisk"
)

// The payload of a row, before it is sealed, is
//
//	version (1 byte) | length of the call (4, big endian) | call (JSON) | arguments
//
// so that the arguments go through byte for byte.
const (
	payloadVersion = 1
	payloadHead    = 5
)

var errPayload = errors.New("malformed payload of a queue row")

// encodeCall returns the payload of a call. The API key never gets into it, and
// the number of the attempt is the row's affair.
func encodeCall(c *whisk.Call) ([]byte, error) {
	open := *c
	open.APIKey, open.NoQueue, open.Attempt = "", false, 0
	var b bytes.Buffer
	b.Grow(payloadHead + 1024 + len(c.Env) + len(c.Args))
	b.Write([]byte{payloadVersion, 0, 0, 0, 0})
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the environment is part of the warm key: not a byte of it may change
	if err := e.Encode(&open); err != nil {
		return nil, fmt.Errorf("encode call %s: %w", c.ID, err)
	}
	binary.BigEndian.PutUint32(b.Bytes()[1:], uint32(b.Len()-payloadHead))
	b.Write(c.Args)
	return b.Bytes(), nil
}

// decodeCall reads what encodeCall wrote. The arguments point into b.
func decodeCall(b []byte) (*whisk.Call, error) {
	if len(b) < payloadHead || b[0] != payloadVersion {
		return nil, errPayload
	}
	n := int64(binary.BigEndian.Uint32(b[1:]))
	if n > int64(len(b)-payloadHead) {
		return nil, errPayload
	}
	head, args := b[payloadHead:payloadHead+n], b[payloadHead+n:]
	c := &whisk.Call{}
	if err := json.Unmarshal(head, c); err != nil {
		return nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	if c.ID.IsZero() || c.Target == nil {
		return nil, errPayload
	}
	c.APIKey, c.NoQueue, c.Attempt = "", false, 0
	if len(args) > 0 {
		c.Args = args
	}
	return c, nil
}

// Reseal returns the payload of a row, sealed by from, as to seals it.
func Reseal(row whisk.QueueRow, from, to sealer) ([]byte, error) {
	plain, err := from.Open(row.Payload, row.ID[:])
	if err != nil {
		return nil, fmt.Errorf("queue row %s: %w", row.ID, err)
	}
	return to.Seal(plain, row.ID[:])
}
