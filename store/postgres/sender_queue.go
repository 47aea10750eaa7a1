package postgres

import (
	"time"

	"hearth/store"
)

var rowTypes = []uint32{typeUUID, typeInt4, typeInt4, typeInt8, typeInt8, typeInt8, typeInt8, typeInt4, typeInt8, typeBytea, typeBytea}

// row adds a row to its columns: a started one for so long.
func (s *sender) row(c []array, r *store.QueueRow, state store.RowState, lasts time.Duration) {
	token := r.Token
	if state == store.RowQueued {
		token = 0
	}
	c[0].id(r.ID)
	c[1].int4(s.spaces[string(r.Namespace)])
	c[2].int4(int32(state))
	c[3].int8(r.Holder)
	c[4].int8(token)
	c[5].int8(lasts.Milliseconds())
	c[6].int8(r.Created)
	c[7].int4(int32(r.Attempt))
	c[8].int8(r.Due)
	c[9].blob(digest(r.Code))
	c[10].blob(r.Payload)
}

func (s *sender) rows(ops []int32) {
	s.begin()
	c := s.columns(rowTypes...)
	for _, i := range ops {
		o, state := &s.ops[i], store.RowQueued
		if o.Kind == store.OpStartNew {
			state = store.RowStarted
		}
		s.row(c, o.Row, state, o.For)
	}
	s.done(c)
	s.send(rowStatement, ops, len(ops))
}

func (s *sender) starts(ops []int32) {
	s.begin()
	c := s.columns(typeUUID, typeInt8, typeInt8, typeInt8)
	for _, i := range ops {
		o := &s.ops[i]
		c[0].id(o.ID)
		c[1].int8(o.Token)
		c[2].int8(o.Holder)
		c[3].int8(o.For.Milliseconds())
	}
	s.done(c)
	s.send(startStatement, ops, len(ops))
}

func (s *sender) requeues(ops []int32) {
	s.begin()
	c := s.columns(typeUUID, typeInt8, typeInt8)
	for _, i := range ops {
		o := &s.ops[i]
		c[0].id(o.ID)
		c[1].int8(o.Token)
		c[2].int8(o.Holder)
	}
	s.done(c)
	s.send(requeueStatement, ops, len(ops))
}

func (s *sender) releases(ops []int32) {
	s.begin()
	c := s.columns(typeUUID, typeInt8)
	for _, i := range ops {
		c[0].id(s.ops[i].ID)
		c[1].int8(s.ops[i].Holder)
	}
	s.done(c)
	s.send(releaseStatement, ops, len(ops))
}

func (s *sender) cancels(ops []int32) {
	s.begin()
	c := s.columns(append(recordTypes[:6:6], typeUUID)...)
	for _, i := range ops {
		a := s.ops[i].Record
		s.record(c, a)
		if a.Unstored {
			c[6].id(a.ID)
		}
	}
	s.done(c)
	s.send(cancelStatement, ops, len(ops))
}

func (s *sender) redrives(ops []int32) {
	s.begin()
	c := s.columns(append([]uint32{typeUUID}, rowTypes...)...)
	for _, i := range ops {
		c[0].id(s.ops[i].ID)
		s.row(c[1:], s.ops[i].Row, store.RowQueued, 0)
	}
	s.done(c)
	s.send(redriveStatement, ops, len(ops))
}

// steps sends a statement for each.
func (s *sender) steps(ops []int32) {
	for n, i := range ops {
		o := &s.ops[i]
		v, next := o.Step, o.Step.Next
		s.begin()
		s.text(string(v.Trigger.Namespace))
		s.text(v.Trigger.Name)
		for _, number := range []int64{v.Revision, v.Tick, v.Token, next.Tick, next.Due, next.Fired, next.Changed} {
			s.int8(number)
		}
		s.int4(next.Status)
		s.text(storable(next.Reason))
		rows := s.columns(rowTypes...)
		for r := range o.Rows {
			s.row(rows, &o.Rows[r], store.RowQueued, 0)
		}
		s.done(rows)
		c := s.columns(append(recordTypes[:6:6], typeUUID)...)
		if a := o.Record; a != nil {
			if !a.Unstored {
				s.record(c, a)
			}
			c[6].id(a.ID)
		}
		s.done(c)
		s.send(stepStatement, ops[n:n+1], 1)
	}
}
