package flow

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"hearth/whisk"
)

const (
	// stepWait is how long a component may take beyond its time limit.
	stepWait = time.Minute
	// maxNesting is how deep sequences and compositions nest. OpenWhisk has no
	// bound, but cycles can be made through bindings and compositions.
	maxNesting = 20
)

var (
	errUnrecorded = errors.New("the record could not be stored")
	errRowLost    = errors.New("the row is not held any more")
)

// composite reports whether flow itself carries the call through: a sequence or
// a composition.
func composite(c *whisk.Call) bool { return c.Target.Conductor || c.Target.Exec.Kind == whisk.Sequence }

// tree is one sequence or composition with all that is nested in it. One
// goroutine carries it through; its components are run one after the other, as
// blocking calls that nobody can leave.
//
// It can be refused, as a plain call, until a component has started. Then it
// ends in a record, come what may: the row that promises its id, if there is
// one, is failed when this process dies.
type tree struct {
	f        *Flow
	top      *whisk.Call
	patience time.Duration // of its first component

	begun bool // a component has started
	steps int  // activations that are no composites
	depth int  // of what is being run

	// Guarded by Flow.mu.
	busy  time.Time // when the present component will have been given up
	token int64     // of the started row; 0: there is none
	until time.Time // when that counts as broken off
}

// followComposite begins to carry c through, and is left at once.
func (f *Flow) followComposite(c *whisk.Call, patience time.Duration, l whisk.Leave) (*whisk.Activation, error) {
	f.mu.Lock()
	full := f.following >= f.cfg.Composites
	if !full {
		f.following++
	}
	f.mu.Unlock()
	if full {
		return nil, whisk.ErrOverloaded
	}
	t := f.plant(c, patience, 0, time.Time{})
	go func() {
		rec, err := t.compose()
		f.mu.Lock()
		f.following--
		f.mu.Unlock()
		l.Then(rec, err)
	}()
	return nil, whisk.ErrLeft
}

// attemptComposite starts the row of a composite and carries it through.
func (f *Flow) attemptComposite(it *item, c *whisk.Call, patience time.Duration) outcome {
	lasts := f.compositeLasts(it.id)
	until := time.Now().Add(lasts)
	if o, ok := f.start(it, lasts); !ok {
		return o
	}
	c.Waited = it.call.Waited + it.waited()
	rec, err := f.plant(c, patience, it.token, until).compose()
	return f.conclude(it, c, rec, err)
}

// plant notes that c is under way.
func (f *Flow) plant(c *whisk.Call, patience time.Duration, token int64, until time.Time) *tree {
	t := &tree{f: f, top: c, patience: patience, token: token, until: until}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.composites[c.ID] = t
	return t
}

// compose carries t through, as an invoker does a plain call: the record that it
// returns is stored. An error is [whisk.ErrOverloaded], when nothing has
// started, or says that the record could not be stored before the runs were
// stopped.
func (t *tree) compose() (rec *whisk.Activation, err error) {
	f := t.f
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.composites, t.top.ID)
	}()
	if t.top.Target.Conductor {
		rec, err = t.composition(t.top, &counts{})
	} else {
		rec, err = t.sequence(t.top, new(int))
	}
	if err != nil {
		return nil, err
	}
	f.m.composites.Inc()
	if err := f.keep(rec); err != nil {
		return nil, err
	}
	return rec, nil
}

// exhausted reports whether t has run as many activations as the length of a
// sequence allows for compositions of sequences, or nests too deep.
func (t *tree) exhausted() bool {
	n := t.f.cfg.SequenceLength
	return t.depth > maxNesting || t.steps >= n*(3*n+1)
}

// step runs one plain activation and returns its record. [whisk.ErrPending] says
// that it takes too long, and goes on. Any other error is the end of t; if t has
// not begun, nothing has started. Once it has, a component waits for room for as
// long as for its result.
func (t *tree) step(c *whisk.Call) (*whisk.Activation, error) {
	f, began := t.f, time.Now()
	wait := c.Target.Limits.TimeoutDuration() + stepWait
	if err := t.extend(began.Add(wait)); err != nil {
		return nil, err
	}
	t.steps++
	for pause := f.cfg.BusyMin; ; pause = min(2*pause, f.cfg.BusyMax) {
		call, patience := *c, f.cfg.Patience
		call.Waited = time.Since(began)
		if !t.begun {
			call.NoQueue, patience = t.top.NoQueue, t.patience
		}
		rec, err := f.await(context.Background(), &call, wait-call.Waited, patience, func() {})
		if !errors.Is(err, whisk.ErrOverloaded) {
			t.begun = true
			if rec != nil && f.runs.Err() != nil {
				f.hand(rec) // of what was stopped, it may not be stored yet
			}
			return rec, err
		}
		if !t.begun || time.Since(began)+pause >= wait {
			return nil, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-f.runs.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// parent is one sequence or composition while it runs.
type parent struct {
	call     *whisk.Call
	start    time.Time
	logs     []string // the ids of its components
	duration int64    // ms, of them together
	memory   int64    // MB, the most that one of them may use; 0: none has run
}

// enter begins c; leave must follow.
func (t *tree) enter(c *whisk.Call) *parent {
	t.depth++
	return &parent{call: c, start: time.Now()}
}

func (t *tree) leave() { t.depth-- }

// child makes c a call of p's. What the caller's limits are now is looked at
// again; whether it is still a caller was, when c was found.
func (t *tree) child(p *parent, c *whisk.Call) *whisk.Call {
	by := p.call
	c.ID, c.TransactionID, c.Cause, c.InFlow = whisk.NewActivationID(), by.TransactionID, by.ID, true
	c.Namespace, c.Subject, c.UUID, c.Unstored = by.Namespace, by.Subject, by.UUID, by.Unstored
	c.Bounds = by.Bounds
	if id, err := t.f.ids.Identity(t.f.runs, by.UUID); err == nil {
		c.Bounds = id.BoundsOf(c.Target.Limits)
	}
	return c
}

// add counts a component that has ended.
func (p *parent) add(rec *whisk.Activation) {
	p.logs = append(p.logs, rec.ID.String())
	p.duration += rec.Duration
	if l := rec.Facts.Limits; l != nil {
		p.memory = max(p.memory, l.Memory)
	}
}

// end returns p's record. That of a nested one is handed to the store.
func (t *tree) end(p *parent, r whisk.Response) *whisk.Activation {
	a := p.call.Record()
	a.Start, a.End, a.Duration = p.start.UnixMilli(), time.Now().UnixMilli(), p.duration
	a.Response, a.Logs, a.Facts.Wait = r, p.logs, p.call.Waited.Milliseconds()
	if a.Facts.Limits = nil; p.memory > 0 {
		l := p.call.Target.Limits
		l.Memory = p.memory
		a.Facts.Limits = &l
	}
	p.call.Settle(a)
	if p.call != t.top {
		t.f.hand(a)
	}
	return a
}

// brokenOff returns the response of p after a component had no record: err says
// why, late is the text where it takes too long and failed the one for all else.
func (t *tree) brokenOff(p *parent, component *whisk.Call, err error, late, failed string) whisk.Response {
	switch {
	case t.f.runs.Err() != nil:
		failed = msgStopped
	case err == whisk.ErrPending:
		p.logs = append(p.logs, component.ID.String())
		failed = late
	default:
		t.f.log.Warn("a component could not be run", "activation", p.call.ID, "component", component.Target.Name.Path(), "err", err)
	}
	return whisk.ErrorResponse(whisk.WhiskError, failed)
}

// passedOn returns what of a result is the payload of what comes next: an
// object or an array, else nil.
func passedOn(result json.RawMessage) json.RawMessage {
	if whisk.IsObject(result) || whisk.IsArray(result) {
		return result
	}
	return nil
}
