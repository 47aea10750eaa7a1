package postgres

import (
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"hearth/store"
	"hearth/whisk"
)

// sender builds the parameters of statements and sends these. What it builds is
// copied as it is sent, and overwritten by what is built next.
type sender struct {
	*batch
	d    *DB
	pipe *pgconn.Pipeline
	sent []sent

	arrays [20]array
	used   int
	values [][]byte
	small  []byte // single numbers
}

// sent is a statement on its way.
type sent struct {
	ops []int32 // that it answers for; nil: none
	n   int
}

var binaryFormat = []int16{1}

// begin makes ready for a statement.
func (s *sender) begin() {
	s.used, s.values, s.small = 0, s.values[:0], s.small[:0]
}

// column returns a new parameter: an array of so many elements to come.
func (s *sender) column(element uint32) *array {
	a := &s.arrays[s.used]
	s.used++
	a.begin(element)
	return a
}

func (s *sender) columns(elements ...uint32) []array {
	first := s.used
	for _, e := range elements {
		s.column(e)
	}
	return s.arrays[first:s.used]
}

// done takes columns as the next parameters.
func (s *sender) done(columns []array) {
	for i := range columns {
		s.values = append(s.values, columns[i].bytes())
	}
}

func (s *sender) int8(v int64) {
	at := len(s.small)
	s.small = binary.BigEndian.AppendUint64(s.small, uint64(v))
	s.values = append(s.values, s.small[at:])
}

func (s *sender) int4(v int) {
	at := len(s.small)
	s.small = binary.BigEndian.AppendUint32(s.small, uint32(v))
	s.values = append(s.values, s.small[at:])
}

func (s *sender) text(v string) {
	at := len(s.small)
	s.small = append(s.small, v...)
	s.values = append(s.values, s.small[at:])
}

// send sends a statement that is to be successful with n ids, and answers for
// ops.
func (s *sender) send(stmt *statement, ops []int32, n int) {
	s.int4(n)
	s.pipe.SendQueryPrepared(stmt.name, s.values, binaryFormat, binaryFormat)
	s.sent = append(s.sent, sent{ops, n})
}

// sendRound sends what carries a round out.
func (s *sender) sendRound(r *round) {
	for c, f := range [classes]func([]int32){
		s.records, s.attempts, s.rows, s.starts, s.requeues, s.releases, s.cancels, s.redrives, s.steps,
	} {
		if len(r[c]) > 0 {
			f(r[c])
		}
	}
}

// leases sends what begins leases anew.
func (s *sender) leases() {
	if len(s.holders) == 0 && len(s.again) == 0 {
		return
	}
	s.begin()
	c := s.columns(typeInt8, typeUUID)
	for h := range s.holders {
		c[0].int8(h)
	}
	for _, id := range s.again {
		c[1].id(id)
	}
	s.done(c)
	s.int8(s.d.cfg.ClaimLease.Milliseconds())
	s.send(leaseStatement, nil, 0)
}

var recordTypes = []uint32{typeUUID, typeInt8, typeInt4, typeInt4, typeBytea, typeBytea}

func (s *sender) record(c []array, a *whisk.Activation) {
	head, body := store.EncodeActivation(a)
	c[0].id(a.ID)
	c[1].int8(a.Start)
	c[2].int4(s.spaces[string(a.Namespace)])
	c[3].int4(s.names[a.FilterName()])
	c[4].blob(head)
	c[5].blob(body)
}

// records sends those to insert, by their ids lest two commits wait for each
// other, and the end of all their rows.
func (s *sender) records(ops []int32) {
	kept := ops[:0:0]
	for _, i := range ops {
		if s.ops[i].Record.Unstored {
			s.results[i].OK = true
		} else {
			kept = append(kept, i)
		}
	}
	slices.SortFunc(kept, func(a, b int32) int { return compareIDs(&s.ops[a].Record.ID, &s.ops[b].Record.ID) })
	if len(kept) > 0 {
		s.begin()
		c := s.columns(recordTypes...)
		for _, i := range kept {
			s.record(c, s.ops[i].Record)
		}
		s.done(c)
		s.send(recordStatement, kept, len(kept))
	}
	s.begin()
	c := s.columns(typeUUID)
	for _, i := range ops {
		c[0].id(s.ops[i].Record.ID)
	}
	s.done(c)
	s.send(endStatement, nil, len(ops))
}

func compareIDs(a, b *whisk.ActivationID) int {
	x, y := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])
	if x == y {
		x, y = binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])
	}
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (s *sender) attempts(ops []int32) {
	s.begin()
	c := s.columns(append(recordTypes[:6:6], typeInt4, typeInt8, typeBool, typeBool, typeText, typeInt8, typeText)...)
	for _, i := range ops {
		a := s.ops[i].Record
		l := whisk.NewDeadLetter(store.QueueRow{}, a)
		s.record(c, a)
		c[6].int4(int32(a.Attempt))
		c[7].int8(a.Again)
		c[8].bool(a.Dead)
		c[9].bool(a.Unstored)
		c[10].text(l.Name)
		c[11].int8(l.Ended)
		c[12].text(storable(l.Reason))
	}
	s.done(c)
	s.send(attemptStatement, ops, len(ops))
}
