package store

import "hearth/whisk"

// QueueRow is one activation that was promised to a client and has no record
// yet.
type QueueRow = whisk.QueueRow

// RowState is where a queue row stands.
type RowState = whisk.RowState

// The states of a row.
const (
	RowQueued  = whisk.RowQueued
	RowStarted = whisk.RowStarted
)

// OpKind says what an [Op] does.
type OpKind uint8

// The operations of a commit. Each may be given again after a commit of
// unknown outcome: no second record or row comes of it.
const (
	// OpRecord inserts Record if there is none of its id (and it is not
	// Unstored), and deletes the id's row. Not OK: a record was there.
	OpRecord OpKind = iota + 1
	// OpEnqueue inserts Row as queued. Not OK: the id has a row.
	OpEnqueue
	// OpStart turns the row of ID from queued to started, with Token and
	// Until. OK says that the row is started with this very token, so two
	// starts must never use the same one.
	OpStart
	// OpStartNew inserts Row as started, with its Token and Until. Not OK: the
	// id has a record or a row.
	OpStartNew
	// OpRequeue turns the row of ID from started with Token back to queued.
	// Not OK: the token does not hold.
	OpRequeue
	// OpStep takes an alarm from a tick to its next state, inserts Rows as
	// queued, and Record, if there is one, as OpRecord does. Not OK: it is not
	// at that tick, and nothing else has happened. OK says that it is this very
	// step that took it from there, so two steps must never have the same token.
	OpStep
)

// Op is one operation of a commit. Which fields count depends on the kind.
// Nobody changes what it points to once it has been handed over.
type Op struct {
	Kind         OpKind
	Record       *whisk.Activation  // OpRecord, OpStep
	Row          *QueueRow          // OpEnqueue, OpStartNew; the engine assigns Seq
	ID           whisk.ActivationID // OpStart, OpRequeue
	Token, Until int64              // OpStart; OpRequeue has only Token
	Step         *whisk.AlarmStep   // OpStep
	Rows         []QueueRow         // OpStep
}

// Result is the outcome of one op. Err means that this op alone failed, and
// would fail again; the others of its commit stand.
type Result struct {
	OK  bool
	Err error
}

// Check returns what makes an op impossible to carry out, nil if nothing does.
func (o *Op) Check() error {
	id := o.ID
	switch o.Kind {
	case OpRecord:
		if o.Record == nil {
			return whisk.Errorf(whisk.Internal, "record op without a record")
		}
		id = o.Record.ID
	case OpEnqueue, OpStartNew:
		if o.Row == nil {
			return whisk.Errorf(whisk.Internal, "queue op without a row")
		}
		id = o.Row.ID
	case OpStep:
		if o.Step == nil || o.Step.Trigger.IsZero() || o.Step.Token == 0 {
			return whisk.Errorf(whisk.Internal, "step op without a step")
		}
		return nil
	case OpStart, OpRequeue:
	default:
		return whisk.Errorf(whisk.Internal, "op of unknown kind %d", o.Kind)
	}
	if id.IsZero() {
		return whisk.Errorf(whisk.Internal, "op without an activation id")
	}
	return nil
}
