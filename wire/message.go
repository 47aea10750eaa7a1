package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"hearth/whisk"
)

// maxHeader bounds a JSON header: names, limits, versions, a load.
const maxHeader = 1 << 20

// peer is a router's hello.
type peer struct {
	Role Role `json:"role"`
}

// replyHeader is the JSON of a reply.
type replyHeader struct {
	Kind whisk.ReplyKind `json:"kind"`
	Load whisk.Load      `json:"load"`
}

func unmarshal(b []byte, v any) error {
	if len(b) > maxHeader {
		return protocolError("a header of %d bytes", len(b))
	}
	if err := json.Unmarshal(b, v); err != nil {
		return protocolError("header: %v", err)
	}
	return nil
}

// encodeCall returns a call's parts. Arguments and environment are not copied.
func encodeCall(c *whisk.Call) ([][]byte, error) {
	open := *c
	open.Env = nil // its own part: JSON in JSON would be rewritten
	h, err := json.Marshal(&open)
	if err == nil && len(h) > maxHeader { // the server would hang up on it
		err = fmt.Errorf("%w: a header of %d bytes", errTooLarge, len(h))
	}
	if err != nil {
		return nil, err
	}
	return [][]byte{h, c.Args, c.Env}, nil
}

// decodeCall reads a call. If the payload is its own to keep, nothing is copied.
func decodeCall(payload []byte, own bool) (*whisk.Call, error) {
	var h, args, env []byte
	if err := splitParts(payload, &h, &args, &env); err != nil {
		return nil, err
	}
	c := &whisk.Call{}
	if err := unmarshal(h, c); err != nil {
		return nil, err
	}
	if c.ID.IsZero() || c.Target == nil {
		return nil, protocolError("a call without id or target")
	}
	c.Args, c.Env = keep(args, own), keep(env, own)
	return c, nil
}

// keep returns b to be kept: itself if that may be, else a copy. Nothing is nil.
func keep(b []byte, own bool) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	if own {
		return b
	}
	return bytes.Clone(b)
}

// encodeReply returns a reply's parts. A record whose message would be larger
// than maxMessage is cut.
func encodeReply(r whisk.Reply, maxMessage int) ([][]byte, error) {
	h, err := json.Marshal(replyHeader{r.Kind, r.Load})
	if err != nil {
		return nil, err
	}
	parts := [][]byte{h}
	if r.Record == nil {
		return parts, nil
	}
	return appendRecord(parts, r.Record, maxMessage-sizeOf(parts))
}

// decodeReply reads a reply, as decodeCall reads a call.
func decodeReply(payload []byte, own bool) (whisk.Reply, error) {
	h, rest, err := nextPart(payload)
	if err != nil {
		return whisk.Reply{}, err
	}
	var rh replyHeader
	if err := unmarshal(h, &rh); err != nil {
		return whisk.Reply{}, err
	}
	r := whisk.Reply{Kind: rh.Kind, Load: rh.Load}
	switch r.Kind {
	case whisk.Done:
		if r.Record, rest, err = nextRecord(rest, own); err != nil {
			return whisk.Reply{}, err
		}
	case whisk.Busy, whisk.NeedCode, whisk.Queued, whisk.Ready:
	default:
		return whisk.Reply{}, protocolError("reply of kind %d", r.Kind)
	}
	if len(rest) > 0 {
		return whisk.Reply{}, protocolError("%d bytes too many", len(rest))
	}
	return r, nil
}

// Texts for what was cut from a record that no message can carry.
const (
	msgLogsCut   = "There was an issue while collecting your logs. Data might be missing."
	msgResultCut = "The action's result is too large to be carried."
)

// appendRecord appends a record's three parts: the JSON of all but result and
// logs, the result, the logs. Where they would take more than limit bytes the
// logs are dropped, then the result.
func appendRecord(parts [][]byte, a *whisk.Activation, limit int) ([][]byte, error) {
	open := *a
	open.Response.Result, open.Logs = nil, nil
	result, logs := []byte(a.Response.Result), a.Logs
	h, err := json.Marshal(&open)
	if err != nil {
		return nil, err
	}
	const lengths = 3 * 4
	if len(h)+len(result)+logsSize(logs)+lengths > limit {
		logs = []string{msgLogsCut}
	}
	if len(h)+len(result)+logsSize(logs)+lengths > limit {
		open.Response = whisk.ErrorResponse(whisk.WhiskError, msgResultCut)
		result, open.Response.Result = open.Response.Result, nil
		if h, err = json.Marshal(&open); err != nil {
			return nil, err
		}
	}
	return append(parts, h, result, encodeLogs(logs)), nil
}

// nextRecord cuts a record off a payload.
func nextRecord(payload []byte, own bool) (a *whisk.Activation, rest []byte, err error) {
	var h, result, logs []byte
	rest = payload
	for _, d := range []*[]byte{&h, &result, &logs} {
		if *d, rest, err = nextPart(rest); err != nil {
			return nil, nil, err
		}
	}
	a = &whisk.Activation{}
	if err := unmarshal(h, a); err != nil {
		return nil, nil, err
	}
	if a.ID.IsZero() {
		return nil, nil, protocolError("a record without id")
	}
	a.Response.Result = keep(result, own)
	if a.Logs, err = decodeLogs(logs); err != nil {
		return nil, nil, err
	}
	return a, rest, nil
}

func logsSize(lines []string) int {
	n := 0
	for _, l := range lines {
		n += 4 + len(l)
	}
	return n
}

func encodeLogs(lines []string) []byte {
	if len(lines) == 0 {
		return nil
	}
	b := make([]byte, 0, logsSize(lines))
	for _, l := range lines {
		b = binary.BigEndian.AppendUint32(b, uint32(len(l)))
		b = append(b, l...)
	}
	return b
}

// decodeLogs reads lines; all of them share one copy of b.
func decodeLogs(b []byte) ([]string, error) {
	n := 0
	for rest := b; len(rest) > 0; n++ {
		var err error
		if _, rest, err = nextPart(rest); err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, nil
	}
	text := string(b)
	lines := make([]string, n)
	at := 0
	for i := range lines {
		size := int(binary.BigEndian.Uint32(b[at:]))
		lines[i] = text[at+4 : at+4+size]
		at += 4 + size
	}
	return lines, nil
}

// encodeIDs returns ids as one part.
func encodeIDs(ids []whisk.ActivationID) []byte {
	b := make([]byte, 0, len(ids)*len(whisk.ActivationID{}))
	for i := range ids {
		b = append(b, ids[i][:]...)
	}
	return b
}

func decodeIDs(b []byte) ([]whisk.ActivationID, error) {
	const size = len(whisk.ActivationID{})
	if len(b)%size != 0 {
		return nil, protocolError("%d bytes of ids", len(b))
	}
	ids := make([]whisk.ActivationID, len(b)/size)
	for i := range ids {
		copy(ids[i][:], b[i*size:])
	}
	return ids, nil
}
