package storetest

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"hearth/whisk"
)

type callKind uint8

const (
	callGet callKind = iota
	callPut
	callRemove
)

// linearCall is what was called for, linearAnswer what came of it.
type linearCall struct {
	kind       callKind
	name, body string // bodies are never used twice
	ifRevision int64
}

type linearAnswer struct {
	known    bool // else it may have happened or not, or happen later
	err      error
	revision int64
	body     string
}

// history is what clients have seen.
type history struct {
	began time.Time

	mu        sync.Mutex // guards all below
	calls     []porcupine.Operation
	revisions map[string]int64 // by body, as far as anybody was told
}

// call makes a call and notes it down. Reads of which nothing is known say
// nothing.
func (h *history) call(ctx context.Context, client int, r register, in linearCall) linearAnswer {
	op := porcupine.Operation{ClientId: client, Input: in, Call: time.Since(h.began).Nanoseconds()}
	var out linearAnswer
	switch in.kind {
	case callGet:
		out.revision, out.body, out.err = r.get(ctx, in.name)
	case callPut:
		out.body = in.body
		out.revision, out.err = r.put(ctx, in.name, in.body, in.ifRevision)
	case callRemove:
		out.err = r.remove(ctx, in.name, in.ifRevision)
	}
	out.known = out.err == nil || whisk.KindOf(out.err) != whisk.Internal
	op.Output, op.Return = out, time.Since(h.began).Nanoseconds()
	if !out.known {
		if op.Return = math.MaxInt64; in.kind == callGet {
			return out
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, op)
	if out.err == nil && out.revision != 0 {
		h.revisions[out.body] = out.revision
	}
	return out
}

// entityState is the state of one entity: what it holds, and its last revision. That
// of a write of which nobody was told is 0, and no caller knows it.
type entityState struct {
	there    bool
	revision int64
	body     string
	last     int64
}

// check looks for an order that explains all calls, and counts those of an
// unknown outcome.
func (h *history) check(limit time.Duration) (porcupine.CheckResult, int) {
	unknown := 0
	for _, c := range h.calls {
		if !c.Output.(linearAnswer).known {
			unknown++
		}
	}
	return porcupine.CheckOperationsTimeout(porcupine.Model{
		Partition: byName,
		Init:      func() any { return entityState{} },
		Step: func(state, input, output any) (bool, any) {
			return h.step(state.(entityState), input.(linearCall), output.(linearAnswer))
		},
	}, h.calls, limit), unknown
}

func byName(all []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, c := range all {
		name := c.Input.(linearCall).name
		parts[name] = append(parts[name], c)
	}
	var out [][]porcupine.Operation
	for _, p := range parts {
		out = append(out, p)
	}
	return out
}

// step says whether a call may see an entity so, and what is made of it. A call
// of an unknown outcome that did not happen comes last of all, where nobody
// sees what it does.
func (h *history) step(s entityState, in linearCall, out linearAnswer) (bool, entityState) {
	if in.kind == callGet {
		if !s.there {
			return errors.Is(out.err, whisk.ErrNotFound), s
		}
		return out.err == nil && out.body == s.body && out.revision == s.revision, s
	}
	err, next := s.write(in, h.revisions[in.body])
	switch {
	case !out.known:
		return true, next
	case err != nil:
		return errors.Is(out.err, err), s
	case in.kind == callPut: // numbers never return
		return out.err == nil && out.revision > s.last, next
	}
	return out.err == nil, next
}

// write returns what a write makes of an entityState, or the error that it gets.
func (s entityState) write(in linearCall, revision int64) (error, entityState) {
	switch {
	case in.kind == callRemove && !s.there:
		return whisk.ErrNotFound, s
	case in.kind == callRemove && in.ifRevision != 0 && in.ifRevision != s.revision,
		in.kind == callPut && in.ifRevision != 0 && (!s.there || in.ifRevision != s.revision):
		return whisk.ErrChanged, s
	case in.kind == callPut && in.ifRevision == 0 && s.there:
		return whisk.ErrExists, s
	case in.kind == callRemove:
		return nil, entityState{last: s.last}
	}
	return nil, entityState{there: true, revision: revision, body: in.body, last: max(s.last, revision)}
}
