package postgres

import (
	"hearth/store"
	"hearth/whisk"
)

// class is which statements carry an op out.
type class uint8

// The classes, in the order in which the ops of a round are carried out.
const (
	classRecord class = iota
	classAttempt
	classRow
	classStart
	classRequeue
	classRelease
	classCancel
	classRedrive
	classStep
	classes
)

func classOf(o *store.Op) class {
	switch o.Kind {
	case store.OpRecord:
		if o.Record.Attempt > 0 || o.Record.Again > 0 || o.Record.Dead {
			return classAttempt
		}
		return classRecord
	case store.OpStart:
		return classStart
	case store.OpRequeue:
		return classRequeue
	case store.OpRelease:
		return classRelease
	case store.OpCancel:
		return classCancel
	case store.OpRedrive:
		return classRedrive
	case store.OpStep:
		return classStep
	}
	return classRow
}

// round is what may be carried out in any order: no two of its ops have an id,
// or an alarm, in common.
type round [classes][]int32 // indices of ops

// batch is one commit.
//
// Its ops are carried out by few statements, each with all ops of a class. Those
// of one id keep their order by being in different rounds; that others do not
// keep theirs nobody can tell.
type batch struct {
	ops     []store.Op
	results []store.Result
	rounds  []round
	holders map[int64]bool       // whose leases begin anew
	again   []whisk.ActivationID // whose rows' holders' do

	spaces, names numbers
}

// newBatch plans a commit.
func newBatch(d *DB, ops []store.Op) *batch {
	b := &batch{ops: ops, results: make([]store.Result, len(ops)), spaces: numbers{}, names: numbers{}}
	next := newTurns(len(ops))
	for i := range ops {
		o := &ops[i]
		err := o.Check()
		if err == nil {
			err = b.look(d, o)
		}
		if err != nil {
			b.results[i].Err = err
			continue
		}
		turn := next.of(o)
		if turn == len(b.rounds) {
			b.rounds = append(b.rounds, round{})
		}
		r, c := &b.rounds[turn], classOf(o)
		if r[c] == nil {
			r[c] = make([]int32, 0, len(ops)-i)
		}
		r[c] = append(r[c], int32(i))
	}
	return b
}

// look notes what an op needs, and returns what makes it one that PostgreSQL
// would refuse.
func (b *batch) look(d *DB, o *store.Op) error {
	if r := o.Record; r != nil {
		if err := b.need(d, string(r.Namespace), r.FilterName()); err != nil {
			return err
		}
		if o.Kind == store.OpRecord && r.Again > 0 {
			b.again = append(b.again, r.ID)
		}
		if size := len(r.Response.Result); size > maxBytes {
			return whisk.Errorf(whisk.TooLarge, "a result of %d bytes cannot be stored", size)
		}
	}
	if r := o.Row; r != nil {
		if o.Kind != store.OpStartNew {
			b.hold(r.Holder)
		}
		if err := b.needRow(d, r); err != nil {
			return err
		}
	}
	for i := range o.Rows {
		b.hold(o.Rows[i].Holder)
		if err := b.needRow(d, &o.Rows[i]); err != nil {
			return err
		}
	}
	if o.Kind == store.OpRequeue {
		b.hold(o.Holder)
	}
	if s := o.Step; s != nil && (!isText(string(s.Trigger.Namespace)) || !isText(s.Trigger.Name)) {
		return errText
	}
	return nil
}

// maxBytes bounds one value: PostgreSQL's own bound is a GiB for all that a
// statement comes with.
const maxBytes = 256 << 20

func (b *batch) needRow(d *DB, r *store.QueueRow) error {
	if len(r.Payload) > maxBytes {
		return whisk.Errorf(whisk.TooLarge, "a call of %d bytes cannot be stored", len(r.Payload))
	}
	return b.need(d, string(r.Namespace), "")
}

func (b *batch) hold(holder int64) {
	if holder == 0 {
		return
	}
	if b.holders == nil {
		b.holders = map[int64]bool{}
	}
	b.holders[holder] = true
}

// need notes texts of which the numbers are wanted, and those that are known.
func (b *batch) need(d *DB, space, name string) error {
	if !b.spaces.note(&d.spaces, space) || name != "" && !b.names.note(&d.names, name) {
		return errText
	}
	return nil
}

// turns says in which round an op goes: behind all before it that have one of
// its ids.
type turns struct {
	ids    map[whisk.ActivationID]int
	alarms map[whisk.EntityName]int
}

func newTurns(ops int) turns { return turns{ids: make(map[whisk.ActivationID]int, ops)} }

func (t *turns) of(o *store.Op) int {
	if o.Kind != store.OpStep && o.Kind != store.OpRedrive {
		id := o.Of()
		turn := t.ids[id]
		t.ids[id] = turn + 1
		return turn
	}
	var ids []whisk.ActivationID
	turn := 0
	if o.Kind == store.OpRedrive {
		ids = append(ids, o.ID, o.Row.ID)
	} else {
		turn = t.alarms[o.Step.Trigger]
		if o.Record != nil {
			ids = append(ids, o.Record.ID)
		}
		for i := range o.Rows {
			ids = append(ids, o.Rows[i].ID)
		}
	}
	for _, id := range ids {
		turn = max(turn, t.ids[id])
	}
	for _, id := range ids {
		t.ids[id] = turn + 1
	}
	if o.Kind == store.OpStep {
		if t.alarms == nil {
			t.alarms = map[whisk.EntityName]int{}
		}
		t.alarms[o.Step.Trigger] = turn + 1
	}
	return turn
}
