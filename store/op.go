package store

import (
	"time"

	"hearth/whisk"
)

// OpKind says what an [Op] does.
type OpKind uint8

// The operations of a commit. Each may be given again after a commit of
// unknown outcome: no second record or row comes of it.
const (
	// OpRecord inserts Record if there is none of its id (and it is not
	// Unstored), and deletes the id's row. Not OK: a record was there.
	//
	// A record that is Dead turns the row, if there is one, into a dead letter
	// instead. One with an Attempt that is not the row's is stale: nothing
	// happens, not OK. One that is to be followed by another attempt (Again) is
	// not inserted; the row is queued again for the next attempt, due after that
	// time, its holder the same under a new lease. Not OK then: the id has a
	// record, or no row.
	OpRecord OpKind = iota + 1
	// OpEnqueue inserts Row as queued, held by its Holder under a new lease
	// unless that is 0. Not OK: the id has a row.
	OpEnqueue
	// OpStart turns the row of ID from queued to started, with Token, until For
	// from now, if it is held by Holder: also when the lease is over, as long as
	// nobody else has claimed it. The row keeps its holder. Of a row that is
	// started with this very token it renews the time. OK says that the row is
	// started with this token, so two starts must never use the same one.
	OpStart
	// OpStartNew inserts Row as started, with its Token, until For from now. Not
	// OK: the id has a record or a row.
	OpStartNew
	// OpRequeue turns the row of ID from started with Token back to queued, held
	// by Holder under a new lease unless that is 0. Not OK: the token does not
	// hold.
	OpRequeue
	// OpRelease makes the queued row of ID, held by Holder, free. Not OK: it
	// does not hold it.
	OpRelease
	// OpCancel deletes the row of ID if it is queued, whoever holds it, and
	// inserts Record if there is none of the id. Not OK: there is no row, or it
	// has started.
	OpCancel
	// OpRedrive deletes the dead letter of ID and inserts Row, of the same
	// namespace, as OpEnqueue does. Not OK: there is no such dead letter, or the
	// row's id has a row, and nothing has happened.
	OpRedrive
	// OpStep takes an alarm from a tick to its next state, inserts Rows as
	// OpEnqueue does, and Record, if there is one, as OpRecord does. Not OK: it is
	// not at that tick, and nothing else has happened. OK says that it is this
	// very step that took it from there, so two steps must never have the same
	// token.
	OpStep
)

// Op is one operation of a commit. Which fields count depends on the kind.
// Nobody changes what it points to once it has been handed over. All times are
// by the engine's clock.
type Op struct {
	Kind   OpKind
	Record *whisk.Activation  // OpRecord, OpCancel, OpStep
	Row    *QueueRow          // OpEnqueue, OpStartNew, OpRedrive; the engine assigns Seq
	ID     whisk.ActivationID // OpStart, OpRequeue, OpRelease, OpCancel, OpRedrive
	Token  int64              // OpStart, OpRequeue
	Holder int64              // OpStart, OpRequeue, OpRelease
	For    time.Duration      // OpStart, OpStartNew
	Step   *whisk.AlarmStep   // OpStep
	Rows   []QueueRow         // OpStep
}

// Of returns the id whose record or row an op changes first, zero for a step.
func (o *Op) Of() whisk.ActivationID {
	switch o.Kind {
	case OpRecord:
		return o.Record.ID
	case OpEnqueue, OpStartNew:
		return o.Row.ID
	case OpStep:
		return whisk.ActivationID{}
	}
	return o.ID
}

// Result is the outcome of one op. Err means that this op alone failed, and
// would fail again; the others of its commit stand.
type Result struct {
	OK  bool
	Err error
}

// Check returns what makes an op impossible to carry out, nil if nothing does.
func (o *Op) Check() error {
	switch o.Kind {
	case OpRecord:
		if o.Record == nil {
			return whisk.Errorf(whisk.Internal, "record op without a record")
		}
	case OpEnqueue, OpStartNew:
		if o.Row == nil {
			return whisk.Errorf(whisk.Internal, "queue op without a row")
		}
	case OpRedrive:
		if o.Row == nil || o.Row.ID.IsZero() {
			return whisk.Errorf(whisk.Internal, "redrive op without a row")
		}
	case OpCancel:
		if o.Record == nil || o.Record.ID != o.ID {
			return whisk.Errorf(whisk.Internal, "cancel op without a record of its id")
		}
	case OpStep:
		if o.Step == nil || o.Step.Trigger.IsZero() || o.Step.Token == 0 {
			return whisk.Errorf(whisk.Internal, "step op without a step")
		}
		return nil
	case OpStart, OpRequeue, OpRelease:
	default:
		return whisk.Errorf(whisk.Internal, "op of unknown kind %d", o.Kind)
	}
	if o.Of().IsZero() {
		return whisk.Errorf(whisk.Internal, "op without an activation id")
	}
	return nil
}
