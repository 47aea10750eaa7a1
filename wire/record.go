package wire

import (
	"encoding/binary"
	"strings"

	"hearth/whisk"
)

// Texts for what was cut from a record that no message can carry.
const (
	msgLogsCut   = "There was an issue while collecting your logs. Data might be missing."
	msgResultCut = "The action's result is too large to be carried."
)

// appendRecord appends the header of a record as a part and returns its other
// two parts, result and logs, whose message begins with b. Where it would have
// more than maxMessage bytes the logs are dropped, then the result. c, if not
// nil, is the call whose record it is, and known to the other side.
func appendRecord(b []byte, a *whisk.Activation, c *whisk.Call, maxMessage int) (head, result, logs []byte) {
	result = a.Response.Result
	at := len(b)
	b = appendFacts(b, a, &a.Response, c)
	lines, size := a.Logs, logsSize(a.Logs)
	const lengths = 2 * 4
	if len(b)+len(result)+size+lengths > maxMessage {
		lines = []string{msgLogsCut}
		size = logsSize(lines)
	}
	if len(b)+len(result)+size+lengths > maxMessage {
		resp := whisk.ErrorResponse(whisk.WhiskError, msgResultCut)
		result = resp.Result
		b = appendFacts(b[:at], a, &resp, c)
	}
	return b, result, encodeLogs(lines, size)
}

// appendFacts appends a record but for result and logs as a part; the response
// is given.
func appendFacts(b []byte, a *whisk.Activation, resp *whisk.Response, c *whisk.Call) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	f := &a.Facts
	usual := c != nil && isRecordOf(a, c)
	b = appendFlags(b, usual, f.TimedOut, a.Unstored, f.InFlow, !a.Cause.IsZero(), f.Limits != nil, f.Conductor, isRetried(a))
	if !usual {
		b = append(b, a.ID[:]...)
		b = appendText(b, string(a.Namespace))
		b = appendText(b, a.Name)
		b = appendText(b, a.Package)
		b = appendVersion(b, a.Version)
		b = appendText(b, a.Subject)
		if !a.Cause.IsZero() {
			b = append(b, a.Cause[:]...)
		}
		b = appendText(b, f.Path)
		b = appendText(b, f.Kind)
		if f.Limits != nil {
			b = appendLimits(b, f.Limits)
		}
		b = appendText(b, f.Binding)
	}
	b = binary.AppendVarint(b, a.Start)
	b = binary.AppendVarint(b, a.End)
	b = binary.AppendVarint(b, a.Duration)
	b = append(b, byte(resp.Status), byte(f.Sandbox))
	b = binary.AppendVarint(b, int64(resp.Size))
	b = binary.AppendVarint(b, f.Wait)
	b = binary.AppendVarint(b, f.Init)
	if isRetried(a) {
		b = binary.AppendUvarint(b, uint64(a.Attempt))
		b = binary.AppendVarint(b, a.Again)
		b = appendFlags(b, a.Dead)
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

func isRetried(a *whisk.Activation) bool { return a.Attempt != 0 || a.Again != 0 || a.Dead }

// isRecordOf reports whether all that c.Record returns stands in a unchanged.
func isRecordOf(a *whisk.Activation, c *whisk.Call) bool {
	t, f := c.Target, &a.Facts
	kind, pkg := t.Exec.Kind, t.Name.Package
	if t.Conductor {
		kind = whisk.Sequence
	}
	if _, bound, ok := strings.Cut(t.Binding, "/"); ok {
		pkg = bound
	}
	return a.ID == c.ID && a.Namespace == c.Namespace && a.Name == t.Name.Name && a.Package == pkg &&
		a.Version == t.Version && a.Subject == c.Subject && a.Cause == c.Cause && a.Unstored == c.Unstored &&
		f.Kind == kind && f.Conductor == t.Conductor && f.Limits != nil && *f.Limits == t.Limits && f.Binding == t.Binding &&
		f.InFlow == c.InFlow && isPath(f.Path, &t.Name)
}

// isPath reports whether s is n.Path().
func isPath(s string, n *whisk.ActionName) bool {
	s, ok := strings.CutPrefix(s, string(n.Namespace))
	if ok && n.Package != "" {
		if s, ok = strings.CutPrefix(s, "/"); ok {
			s, ok = strings.CutPrefix(s, n.Package)
		}
	}
	return ok && len(s) == len(n.Name)+1 && s[0] == '/' && s[1:] == n.Name
}

// parseFacts is the inverse of appendFacts, of the bytes behind their length.
func parseFacts(header []byte, c *whisk.Call) (*whisk.Activation, error) {
	r := newCursor(header)
	var usual, timedOut, unstored, inFlow, caused, limited, conductor, retried bool
	r.flags(&usual, &timedOut, &unstored, &inFlow, &caused, &limited, &conductor, &retried)
	var a *whisk.Activation
	if usual {
		if c == nil {
			return nil, protocolError("a record of an unknown call")
		}
		a = c.Record()
	} else {
		a = &whisk.Activation{ID: r.id(), Namespace: whisk.Namespace(r.string()), Unstored: unstored}
		a.Name, a.Package, a.Version, a.Subject = r.string(), r.string(), parseVersion(&r), r.string()
		if caused {
			a.Cause = r.id()
		}
		a.Facts.Path, a.Facts.Kind, a.Facts.InFlow, a.Facts.Conductor = r.string(), r.string(), inFlow, conductor
		if limited {
			l := parseLimits(&r)
			a.Facts.Limits = &l
		}
		a.Facts.Binding = r.string()
	}
	a.Facts.TimedOut = timedOut
	a.Start, a.End, a.Duration = r.varint(), r.varint(), r.varint()
	if b := r.take(2); b != nil {
		a.Response.Status, a.Facts.Sandbox = whisk.Status(b[0]), whisk.Start(b[1])
	}
	a.Response.Size = int(r.varint())
	a.Facts.Wait, a.Facts.Init = r.varint(), r.varint()
	if a.Attempt = 0; retried {
		a.Attempt, a.Again = int(r.uvarint()), r.varint()
		r.flags(&a.Dead)
	}
	if err := r.err("record"); err != nil {
		return nil, err
	}
	if a.ID.IsZero() {
		return nil, protocolError("a record without id")
	}
	return a, nil
}

// nextRecord cuts a record, that of c if it is not nil, off a payload.
func nextRecord(payload []byte, own bool, c *whisk.Call) (a *whisk.Activation, rest []byte, err error) {
	var h, result, logs []byte
	rest = payload
	for _, d := range []*[]byte{&h, &result, &logs} {
		if *d, rest, err = nextPart(rest); err != nil {
			return nil, nil, err
		}
	}
	if len(h) > maxHeader {
		return nil, nil, protocolError("a header of %d bytes", len(h))
	}
	if a, err = parseFacts(h, c); err != nil {
		return nil, nil, err
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

// encodeLogs returns lines as a part of that size.
func encodeLogs(lines []string, size int) []byte {
	if len(lines) == 0 {
		return nil
	}
	b := make([]byte, 0, size)
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
