package wire

import (
	"encoding/binary"

	"hearth/whisk"
)

// setting is what all calls of one caller to one action have in common. A
// router announces it once on a connection, under a small number that its
// calls then carry.
type setting struct {
	namespace     whisk.Namespace
	subject, uuid string
	bounds        *whisk.Bounds
	target        whisk.Target
}

const (
	maxSettings    = 1024    // that are known on a connection at once
	maxSettingSize = 1 << 10 // bytes of one; a longer one goes with each of its calls
)

// appendSetting appends what c has in common with others. Two calls have the
// same setting if its bytes are the same.
func appendSetting(b []byte, c *whisk.Call) []byte {
	b = appendFlags(b, c.Bounds != nil)
	b = appendText(b, string(c.Namespace))
	b = appendText(b, c.Subject)
	b = appendText(b, c.UUID)
	if c.Bounds != nil {
		b = appendBounds(b, c.Bounds)
	}
	return appendTarget(b, c.Target)
}

func parseSetting(r *cursor) *setting {
	bounded := false
	r.flags(&bounded)
	s := &setting{namespace: whisk.Namespace(r.string()), subject: r.string(), uuid: r.string()}
	if bounded {
		s.bounds = parseBounds(r)
	}
	parseTarget(r, &s.target)
	return s
}

// appendTarget appends a target but for what is run by flow alone: a sequence's
// components, a conductor's parameters.
func appendTarget(b []byte, t *whisk.Target) []byte {
	e := &t.Exec
	b = appendFlags(b, t.WantsKey, t.Conductor, e.Binary, !e.Code.IsZero())
	b = appendText(b, string(t.Name.Namespace))
	b = appendText(b, t.Name.Package)
	b = appendText(b, t.Name.Name)
	b = appendText(b, t.Binding)
	b = appendVersion(b, t.Version)
	b = binary.AppendVarint(b, t.Revision)
	b = appendText(b, e.Kind)
	if !e.Code.IsZero() {
		b = append(b, e.Code[:]...)
	}
	b = binary.AppendVarint(b, e.Size)
	b = appendText(b, e.Main)
	b = appendText(b, e.Image)
	return appendLimits(b, &t.Limits)
}

func parseTarget(r *cursor, t *whisk.Target) {
	e, coded := &t.Exec, false
	r.flags(&t.WantsKey, &t.Conductor, &e.Binary, &coded)
	t.Name = whisk.ActionName{Namespace: whisk.Namespace(r.string()), Package: r.string(), Name: r.string()}
	t.Binding = r.string()
	t.Version = parseVersion(r)
	t.Revision = r.varint()
	e.Kind = r.string()
	if coded {
		copy(e.Code[:], r.take(uint64(len(e.Code))))
	}
	e.Size = r.varint()
	e.Main, e.Image = r.string(), r.string()
	t.Limits = parseLimits(r)
}

// ranges returns the ranges of bounds in the order in which they are sent.
func ranges(b *whisk.Bounds) [4]*whisk.Range {
	return [...]*whisk.Range{&b.Timeout, &b.Memory, &b.Logs, &b.Concurrency}
}

func appendBounds(b []byte, l *whisk.Bounds) []byte {
	for _, r := range ranges(l) {
		b = binary.AppendVarint(b, r.Min)
		b = binary.AppendVarint(b, r.Default)
		b = binary.AppendVarint(b, r.Max)
	}
	b = binary.AppendVarint(b, l.ResultSize)
	return binary.AppendVarint(b, l.TruncationSize)
}

func parseBounds(r *cursor) *whisk.Bounds {
	l := &whisk.Bounds{}
	for _, v := range ranges(l) {
		*v = whisk.Range{Min: r.varint(), Default: r.varint(), Max: r.varint()}
	}
	l.ResultSize, l.TruncationSize = r.varint(), r.varint()
	return l
}

func appendVersion(b []byte, v whisk.Version) []byte {
	b = binary.AppendUvarint(b, uint64(v.Major))
	b = binary.AppendUvarint(b, uint64(v.Minor))
	return binary.AppendUvarint(b, uint64(v.Patch))
}

// parseVersion may read a version that no entity has; it does no harm.
func parseVersion(r *cursor) whisk.Version {
	return whisk.Version{Major: r.uint32(), Minor: r.uint32(), Patch: r.uint32()}
}

func appendLimits(b []byte, l *whisk.Limits) []byte {
	b = binary.AppendVarint(b, l.Timeout)
	b = binary.AppendVarint(b, l.Memory)
	b = binary.AppendVarint(b, l.Logs)
	return binary.AppendVarint(b, l.Concurrency)
}

func parseLimits(r *cursor) whisk.Limits {
	return whisk.Limits{Timeout: r.varint(), Memory: r.varint(), Logs: r.varint(), Concurrency: r.varint()}
}

// told are the settings that a router has announced on one connection. When
// all numbers are in use the oldest one is given to the next setting.
type told struct {
	numbers map[string]int // by the setting's bytes
	texts   []string       // by number
	oldest  int
}

// number returns the number of a setting; known: it was announced under it.
func (t *told) number(setting []byte) (n int, known bool) {
	if n, known = t.numbers[string(setting)]; known {
		return n, true
	}
	if t.numbers == nil {
		t.numbers = map[string]int{}
	}
	text := string(setting)
	if n = len(t.texts); n < maxSettings {
		t.texts = append(t.texts, text)
	} else {
		n = t.oldest
		t.oldest = (n + 1) % maxSettings
		delete(t.numbers, t.texts[n])
		t.texts[n] = text
	}
	t.numbers[text] = n
	return n, false
}

// heard are the settings that an invoker was told of on one connection, by
// number.
type heard []*setting

// learn takes an announcement.
func (h *heard) learn(payload []byte) error {
	if len(payload) > maxSettingSize+binary.MaxVarintLen16 {
		return protocolError("a setting of %d bytes", len(payload))
	}
	r := newCursor(payload)
	n := r.uvarint()
	s := parseSetting(&r)
	if err := r.err("setting"); err != nil {
		return err
	}
	switch {
	case n < uint64(len(*h)):
		(*h)[n] = s
	case n == uint64(len(*h)) && n < maxSettings:
		*h = append(*h, s)
	default:
		return protocolError("a setting of number %d after %d of them", n, len(*h))
	}
	return nil
}
