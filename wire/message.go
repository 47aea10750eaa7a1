package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"hearth/whisk"
)

// maxHeader bounds a header: names, limits, versions, a load.
const maxHeader = 1 << 20

// headerRoom is what most headers have room in.
const headerRoom = 512

// peer is a router's hello.
type peer struct {
	Role Role `json:"role"`
}

// unmarshal reads a hello.
func unmarshal(b []byte, v any) error {
	if len(b) > maxHeader {
		return protocolError("a header of %d bytes", len(b))
	}
	if err := json.Unmarshal(b, v); err != nil {
		return protocolError("header: %v", err)
	}
	return nil
}

// appendCall appends what is a call's own: all but its setting, arguments and
// environment, which are parts.
func appendCall(b []byte, c *whisk.Call) []byte {
	b = appendFlags(b, c.InFlow, c.NoQueue, c.Unstored, !c.Cause.IsZero(), c.Retry != nil || c.Attempt > 0)
	b = append(b, c.ID[:]...)
	b = appendText(b, c.TransactionID)
	b = appendText(b, c.APIKey)
	if !c.Cause.IsZero() {
		b = append(b, c.Cause[:]...)
	}
	if c.Retry != nil || c.Attempt > 0 {
		b = binary.AppendUvarint(b, uint64(c.Attempt))
		b = appendRetry(b, c.Retry)
	}
	return binary.AppendVarint(b, int64(c.Waited))
}

func appendRetry(b []byte, r *whisk.Retry) []byte {
	b = appendFlags(b, r != nil)
	if r == nil {
		return b
	}
	b = binary.AppendUvarint(b, uint64(r.Attempts))
	b = binary.AppendVarint(b, int64(r.Backoff))
	return binary.AppendVarint(b, int64(r.MaxAge))
}

func parseRetry(r *cursor) *whisk.Retry {
	given := false
	if r.flags(&given); !given {
		return nil
	}
	return &whisk.Retry{Attempts: int(r.uvarint()), Backoff: time.Duration(r.varint()), MaxAge: time.Duration(r.varint())}
}

// parseCall reads a call's header into c: the setting's number, or 0 and the
// setting itself, then what appendCall appends.
func parseCall(c *whisk.Call, header []byte, known heard) error {
	r := newCursor(header)
	var s *setting
	switch n := r.uvarint(); {
	case n == 0:
		s = parseSetting(&r)
	case n <= uint64(len(known)):
		s = known[n-1]
	default:
		return protocolError("a call with setting %d of %d", n, len(known))
	}
	c.Namespace, c.Subject, c.UUID, c.Bounds, c.Target = s.namespace, s.subject, s.uuid, s.bounds, &s.target
	var caused, retried bool
	r.flags(&c.InFlow, &c.NoQueue, &c.Unstored, &caused, &retried)
	c.ID = r.id()
	c.TransactionID, c.APIKey = r.string(), r.string()
	if caused {
		c.Cause = r.id()
	}
	if retried {
		c.Attempt, c.Retry = int(r.uvarint()), parseRetry(&r)
	}
	c.Waited = time.Duration(r.varint())
	if err := r.err("call"); err != nil {
		return err
	}
	if c.ID.IsZero() {
		return protocolError("a call without id")
	}
	return nil
}

// decodeCall reads a call into c. If the payload is its own to keep, nothing is
// copied of arguments and environment.
func decodeCall(c *whisk.Call, payload []byte, own bool, known heard) error {
	var h, args, env []byte
	if err := splitParts(payload, &h, &args, &env); err != nil {
		return err
	}
	if len(h) > maxHeader {
		return protocolError("a header of %d bytes", len(h))
	}
	if err := parseCall(c, h, known); err != nil {
		return err
	}
	c.Args, c.Env = keep(args, own), keep(env, own)
	return nil
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

func appendLoad(b []byte, l *whisk.Load) []byte {
	b = appendFlags(b, l.Draining)
	b = binary.AppendVarint(b, l.UsedMB)
	b = binary.AppendVarint(b, l.CapacityMB)
	b = binary.AppendVarint(b, int64(l.Running))
	b = binary.AppendVarint(b, int64(l.Queued))
	return binary.AppendVarint(b, int64(l.QueueLimit))
}

func parseLoad(r *cursor) (l whisk.Load) {
	r.flags(&l.Draining)
	l.UsedMB, l.CapacityMB = r.varint(), r.varint()
	l.Running, l.Queued, l.QueueLimit = int(r.varint()), int(r.varint()), int(r.varint())
	return l
}

// appendReply appends the first part of a reply, then the header of its record
// to c if it has one, whose result and logs are the other parts. A record
// whose message would be larger than maxMessage is cut.
func appendReply(b []byte, r *whisk.Reply, c *whisk.Call, maxMessage int) (start, result, logs []byte) {
	at := len(b)
	b = append(b, 0, 0, 0, 0, byte(r.Kind))
	b = appendLoad(b, &r.Load)
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	if r.Record == nil {
		return b, nil, nil
	}
	return appendRecord(b, r.Record, c, maxMessage)
}

// sendReply sends a reply to c, which is nil where it has no record.
func (l *link) sendReply(number uint64, r *whisk.Reply, c *whisk.Call) error {
	var room [headerRoom]byte
	b, result, logs := appendReply(room[:0], r, c, l.maxMessage)
	if r.Record == nil {
		return l.send(frameReply, number, b)
	}
	return l.send(frameReply, number, b, result, logs)
}

// decodeReply reads a reply to c. If the payload is its own to keep, the
// result is not copied.
func decodeReply(payload []byte, own bool, c *whisk.Call) (rep whisk.Reply, err error) {
	h, rest, err := nextPart(payload)
	if err != nil {
		return rep, err
	}
	r := newCursor(h)
	kind := r.take(1)
	rep.Load = parseLoad(&r)
	if err := r.err("reply"); err != nil {
		return whisk.Reply{}, err
	}
	switch rep.Kind = whisk.ReplyKind(kind[0]); rep.Kind {
	case whisk.Done:
		if rep.Record, rest, err = nextRecord(rest, own, c); err != nil {
			return whisk.Reply{}, err
		}
	case whisk.Busy, whisk.NeedCode, whisk.Queued, whisk.Ready:
	default:
		return whisk.Reply{}, protocolError("reply of kind %d", rep.Kind)
	}
	if len(rest) > 0 {
		return whisk.Reply{}, protocolError("%d bytes too many", len(rest))
	}
	return rep, nil
}

// appendIDs appends ids as they are, without their number.
func appendIDs(b []byte, ids []whisk.ActivationID) []byte {
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
