package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Payload makes bodies of one size, each told apart by its number, and knows
// them again in an echo.
type Payload struct {
	size int
	pad  []byte
	busy func(seq int64) float64 // ms that the action is to take, nil none
}

// NewPayload returns a payload of size bytes, or of as many as the number takes
// ([MinPayload] always suffices).
func NewPayload(size int) *Payload {
	return &Payload{size: size, pad: bytes.Repeat([]byte("0123456789abcdef"), size/16+1)}
}

// Body appends the body of a request: {"n":7,"pad":"…"}.
func (p *Payload) Body(b []byte, seq int64) []byte {
	at := len(b)
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, seq, 10)
	if p.busy != nil {
		b = append(b, `,"ms":`...)
		b = strconv.AppendFloat(b, p.busy(seq), 'f', 3, 64)
	}
	b = append(b, `,"pad":"`...)
	fill := max(p.size-(len(b)-at)-len(`"}`), 0)
	// The padding differs between requests too, so that no half of an answer
	// can be taken for another's.
	for fill > 0 {
		shift := int(seq & 15)
		n := min(fill, len(p.pad)-shift)
		b = append(b, p.pad[shift:shift+n]...)
		fill -= n
	}
	return append(b, `"}`...)
}

var wantBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Is reports whether a result is the body that was sent: byte for byte, or as
// the same JSON.
func (p *Payload) Is(seq int64, result []byte) bool {
	buf := wantBuffers.Get().(*[]byte)
	defer wantBuffers.Put(buf)
	*buf = p.Body((*buf)[:0], seq)
	if bytes.Equal(*buf, result) {
		return true
	}
	var want, got any
	return json.Unmarshal(*buf, &want) == nil && json.Unmarshal(result, &got) == nil && reflect.DeepEqual(want, got)
}

// floorTarget is a case's load on a floor: the same bodies.
func (c *Case) floorTarget(base string) (*HTTPTarget, error) {
	cfg := HTTPConfig{URL: base + "/"}
	if c.Do != DoAPI {
		p := NewPayload(c.Payload)
		cfg.Body, cfg.Check = p.Body, CheckResult(p.Is)
	}
	return NewHTTPTarget(cfg)
}

// FirstFailure remembers the first answer that was not right, for people to
// read.
type FirstFailure struct {
	once sync.Once
	text atomic.Pointer[string]
}

// Watch returns check with a look at its verdict; check may be nil.
func (f *FirstFailure) Watch(check func(int64, Answer, *Hit)) func(int64, Answer, *Hit) {
	return func(seq int64, a Answer, h *Hit) {
		if check != nil {
			check(seq, a, h)
		}
		if h.Class != "" {
			f.once.Do(func() {
				text := fmt.Sprintf("status %d, %.300q", a.Status, a.Body)
				f.text.Store(&text)
			})
		}
	}
}

// String is "" if nothing failed.
func (f *FirstFailure) String() string {
	if t := f.text.Load(); t != nil {
		return *t
	}
	return ""
}

// target is a case's load on an OpenWhisk server, on the actions prepared.
// pick chooses one of them for a request; nil takes them in turn. busy says how
// many milliseconds a request is to take; it may be nil.
func (c *Case) target(p *prepared, pick func(seq int64) int, busy func(seq int64) float64) (*HTTPTarget, error) {
	base, err := url.Parse(strings.TrimRight(p.url, "/") + "/api/v1")
	if err != nil {
		return nil, err
	}
	cfg := HTTPConfig{URL: base.String()}
	if c.Do == DoAPI {
		cfg.Check = p.failure.Watch(nil)
		return NewHTTPTarget(cfg)
	}
	cfg.User, cfg.Password, _ = strings.Cut(p.key, ":")
	body := NewPayload(c.Payload)
	body.busy = busy
	cfg.Body = body.Body
	query := "?blocking=true&result=true"
	cfg.Check = CheckResult(body.Is)
	switch {
	case c.queues():
		query = ""
		cfg.Check = CheckAccepted
	case c.Record || c.Do == DoCold:
		query = "?blocking=true"
		check := CheckRecord(body.Is)
		cfg.Check = func(seq int64, a Answer, h *Hit) {
			check(seq, a, h)
			h.Key = h.Start.String()
		}
	}
	cfg.Check = p.failure.Watch(cfg.Check)
	paths := make([][]byte, len(p.actions))
	for i, n := range p.actions {
		paths[i] = []byte(base.EscapedPath() + "/namespaces/_/actions/" + url.PathEscape(n.Name) + query)
	}
	if c.Do == DoFire {
		paths, pick = [][]byte{[]byte(base.EscapedPath() + "/namespaces/_/triggers/" + url.PathEscape(p.trigger.Name))}, nil
	}
	if pick == nil {
		pick = func(seq int64) int { return int(seq % int64(len(paths))) }
	}
	cfg.Path = func(buf []byte, seq int64) []byte { return append(buf, paths[pick(seq)]...) }
	return NewHTTPTarget(cfg)
}

// CheckAccepted wants 202, as a call that is not waited for gets.
func CheckAccepted(_ int64, a Answer, h *Hit) {
	if h.Class == "" && a.Status != 202 {
		h.Class = ClassBadAnswer
	}
}
