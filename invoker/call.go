package invoker

import (
	"context"
	"errors"
	"time"

	"hearth/whisk"
)

// stage is where a call stands; see the package's comment.
type stage uint8

const (
	stageNew stage = iota
	stageFetching
	stageQueued
	stageReady
	stageRunning
)

// call is a call that the invoker has not answered for good.
type call struct {
	*whisk.Call
	ticket  ticket
	box     mailbox
	arrived time.Time
	bytes   int64     // of arguments and environment
	stage   stage     // guarded by Invoker.mu, as are the following
	until   time.Time // when fetching or ready has to be over; zero: never
	pinned  bool      // its code is held in the cache
	told    bool      // Queued was said: it starts only after Ready and Go
}

func newCall(c *whisk.Call, reply func(whisk.Reply)) *call {
	in := &call{Call: c, arrived: time.Now(), bytes: int64(len(c.Args) + len(c.Env))}
	in.box.reply = reply
	in.ticket = ticket{key: keyOf(c), mb: c.Target.Limits.Memory, arrived: in.arrived, call: in}
	return in
}

// Call takes a call in. It does not wait: what becomes of the call is told to
// reply, one reply after the other, from any goroutine and maybe before Call
// returns; reply must not block. After an error there will be no reply.
// ErrDuplicate says that a call of that id is under way or its record is still
// in the journal.
func (v *Invoker) Call(c *whisk.Call, reply func(whisk.Reply)) error {
	if c.Target == nil || c.ID.IsZero() || c.Target.Limits.Memory <= 0 {
		return errors.New("malformed call")
	}
	in := newCall(c, reply)
	v.mu.Lock()
	defer v.unlock()
	switch {
	case v.closed:
		return ErrClosed
	case v.calls[c.ID] != nil || v.journal.Has(c.ID):
		return ErrDuplicate
	case v.draining || v.journal.Full() || v.unkept.Load() > 0:
		v.say(in, whisk.Busy, nil)
		return nil
	}
	v.calls[c.ID] = in
	v.admit(in)
	return nil
}

// admit finds a place for a new call or one whose code has come: it runs, or
// is queued, or its code is asked for, or it is turned away. The caller holds
// mu.
func (v *Invoker) admit(in *call) {
	if resp, ok := v.impossible(in); ok {
		v.refuse(in, resp)
		return
	}
	now, canWait := time.Now(), v.roomFor(in)
	d := v.pool.place(&in.ticket, canWait, now)
	if d.wait() && !canWait {
		v.turnAway(in)
		return
	}
	if d.warm == nil && !v.pin(in) {
		v.fetch(in)
		return
	}
	if !d.wait() {
		v.give(in, d, now)
		return
	}
	in.stage = stageQueued
	v.held += in.bytes
	v.pool.enter(&in.ticket, now)
	v.pump()
	if in.stage == stageQueued {
		v.wake(lookEvery)
		if !v.pool.soon(&in.ticket, quietWait) {
			v.tellQueued(in)
		}
	}
}

// give gives a call its slot: it runs at once, or when the router says go if it
// was told that the call waits. The caller holds mu.
func (v *Invoker) give(in *call, d decision, now time.Time) {
	v.seat(in, d, now)
	if in.told {
		v.tellReady(in, now)
	} else {
		v.start(in)
	}
}

// tellQueued tells the router, once, that a call waits and can be moved. The
// caller holds mu.
func (v *Invoker) tellQueued(in *call) {
	if !in.told {
		in.told = true
		v.say(in, whisk.Queued, nil)
	}
}

// tellReady asks for the router's go for a call that has its slot. The caller
// holds mu.
func (v *Invoker) tellReady(in *call, now time.Time) {
	in.stage, in.until = stageReady, now.Add(v.cfg.ReadyTimeout)
	v.say(in, whisk.Ready, nil)
}

// roomFor reports whether a call may be queued.
func (v *Invoker) roomFor(in *call) bool {
	return !in.NoQueue && v.pool.queued < v.cfg.QueueLimit && v.held+in.bytes <= v.cfg.QueueBytes
}

// impossible returns the response of a call that this invoker can never run: a
// router sends it only what nobody else can run either; or that must not run,
// as its caller's limits have changed.
func (v *Invoker) impossible(in *call) (whisk.Response, bool) {
	if in.Bounds != nil {
		if err := in.Bounds.Check(in.Target.Limits); err != nil {
			return whisk.ErrorResponse(whisk.ApplicationError, whisk.MessageOf(err)), true
		}
	}
	switch e := in.Target.Exec; {
	case in.ticket.mb > v.pool.capacity:
		return whisk.ErrorResponse(whisk.WhiskError, textTooLarge(in.ticket.mb)), true
	case v.driverOf(in.Target) != nil:
		return whisk.Response{}, false
	case e.Kind == whisk.Blackbox:
		return unanswered(textNoImage(e.Image)), true
	default:
		return whisk.ErrorResponse(whisk.WhiskError, textNoKind(e.Kind)), true
	}
}

// pin makes sure that the code of in stays in the cache, and returns false if
// it is not there.
func (v *Invoker) pin(in *call) bool {
	if d := in.Target.Exec.Code; !in.pinned && !d.IsZero() {
		in.pinned = v.code.pin(d)
		return in.pinned
	}
	return true
}

// pump gives what has come free to the queue. The caller holds mu and calls it
// after every change that may have freed something.
func (v *Invoker) pump() {
	if v.draining {
		return
	}
	now := time.Now()
	for {
		t, d := v.pool.next(now)
		if t == nil {
			return
		}
		v.held -= t.call.bytes
		v.give(t.call, d, now)
	}
}

// Go runs a call that was told Ready. Of any other it is ignored.
func (v *Invoker) Go(id whisk.ActivationID) {
	v.mu.Lock()
	defer v.unlock()
	if in := v.calls[id]; in != nil && in.stage == stageReady {
		v.start(in)
	}
}

// Cancel drops a call that waits for a sandbox, for its code or for the
// router's go; no reply follows. Of any other it is ignored.
func (v *Invoker) Cancel(id whisk.ActivationID) {
	v.mu.Lock()
	defer v.unlock()
	if in := v.calls[id]; in != nil && in.stage != stageRunning {
		v.leave(in)
		v.pump()
	}
}

// turnAway drops a call that has not started, and says so. The caller holds
// mu, and calls pump.
func (v *Invoker) turnAway(in *call) {
	v.leave(in)
	v.say(in, whisk.Busy, nil)
}

// leave drops a call that has not started and gives back what it holds. The
// caller holds mu, and calls pump.
func (v *Invoker) leave(in *call) {
	switch in.stage {
	case stageFetching:
		v.unfetch(in)
	case stageQueued:
		v.held -= in.bytes
		v.pool.leave(&in.ticket)
	case stageReady:
		s := in.ticket.slot
		if s.state == warm && !s.worker.isBroken() {
			v.check(v.pool.settle(s, time.Now()))
		} else {
			v.retire(s)
		}
	}
	v.forget(in)
}

// forget ends a call's life in the invoker. The caller holds mu.
func (v *Invoker) forget(in *call) {
	delete(v.calls, in.ID)
	if in.pinned {
		in.pinned = false
		v.code.unpin(in.Target.Exec.Code)
	}
	v.checkEmpty()
}

// check logs what would be a fault of this package.
func (v *Invoker) check(err error) {
	if err != nil {
		v.log.Error("invoker: the pool is at odds with itself", "err", err)
	}
}

// Ack drops records that the store has from the journal.
func (v *Invoker) Ack(ids ...whisk.ActivationID) { v.journal.Ack(ids...) }

// Unacknowledged returns how many records no store is known to have.
func (v *Invoker) Unacknowledged() int { return v.journal.Len() }

// Lookup says what the invoker knows of an id; with FinishedCall comes the
// record.
func (v *Invoker) Lookup(ctx context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	v.mu.Lock()
	in := v.calls[id]
	started := in != nil && in.stage == stageRunning
	v.mu.Unlock()
	switch {
	case started:
		return whisk.RunningCall, nil, nil
	case in != nil:
		return whisk.WaitingCall, nil, nil
	}
	rec, err := v.journal.Record(id)
	if rec == nil || err != nil {
		return whisk.UnknownCall, nil, err
	}
	return whisk.FinishedCall, rec, nil
}

// Unacked returns up to limit finished records that no store is known to have,
// oldest first: those of earlier lives, and of this one those that are older
// than Config.OfferAfter.
func (v *Invoker) Unacked(ctx context.Context, limit int) ([]*whisk.Activation, error) {
	return v.journal.Unacked(limit, time.Now().Add(-v.cfg.OfferAfter))
}
