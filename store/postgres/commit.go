package postgres

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hearth/store"
	"hearth/whisk"
)

// Commit implements [store.Engine].
func (d *DB) Commit(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	for try := 1; ; try++ {
		b := newBatch(d, ops)
		_, err := d.use(ctx, d.commits, func(c *pgx.Conn) error { return d.commit(ctx, c, b) })
		if err == nil {
			return b.results, nil
		}
		if !undone(err) || try == tries {
			return nil, fmt.Errorf("commit %d operations: %w", len(ops), err)
		}
	}
}

func (d *DB) commit(ctx context.Context, conn *pgx.Conn, b *batch) error {
	if err := prepare(ctx, conn); err != nil {
		return err
	}
	if err := d.spaces.resolve(ctx, conn, b.spaces); err != nil {
		return err
	}
	if err := d.names.resolve(ctx, conn, b.names); err != nil {
		return err
	}
	err := d.exchange(ctx, conn, b, func(s *sender) {
		s.leases()
		for i := range b.rounds {
			s.sendRound(&b.rounds[i])
		}
	})
	if ofOpAlone(err) {
		return d.oneByOne(ctx, conn, b)
	}
	return err
}

// senders are those that are not in use. They keep their memory.
var senders = sync.Pool{New: func() any { return new(sender) }}

// keptBytes is how much memory an array of a sender may keep.
const keptBytes = 1 << 20

// exchange sends statements, all at once, and notes what comes of them. Between
// BEGIN and COMMIT they are part of that transaction, else one of their own,
// which has been committed when exchange returns without an error.
func (d *DB) exchange(ctx context.Context, conn *pgx.Conn, b *batch, send func(*sender)) error {
	s := senders.Get().(*sender)
	defer func() {
		for i := range s.arrays {
			if cap(s.arrays[i].b) > keptBytes {
				s.arrays[i].b = nil
			}
		}
		clear(s.values[:cap(s.values)])
		clear(s.sent)
		s.batch, s.pipe, s.sent = nil, nil, s.sent[:0]
		senders.Put(s)
	}()
	s.batch, s.d, s.pipe = b, d, conn.PgConn().StartPipeline(ctx)
	send(s)
	err := s.pipe.Sync()
	if err == nil {
		err = s.receive()
	}
	if e := s.pipe.Close(); err == nil {
		err = e
	}
	return err
}

// receive reads the results of what was sent, and that it was committed.
func (s *sender) receive() error {
	for _, q := range s.sent {
		result, err := s.pipe.GetResults()
		if err != nil {
			return err
		}
		reader, ok := result.(*pgconn.ResultReader)
		if !ok {
			return fmt.Errorf("unexpected result %T", result)
		}
		for reader.NextRow() {
			if q.ops != nil {
				s.note(q, reader.Values())
			}
		}
		if _, err := reader.Close(); err != nil {
			return err
		}
	}
	result, err := s.pipe.GetResults()
	if _, ok := result.(*pgconn.PipelineSync); !ok && err == nil {
		return fmt.Errorf("unexpected result %T in place of the end", result)
	}
	return err
}

// note takes over the row that a statement returns.
func (s *sender) note(q sent, values [][]byte) {
	if int(binary.BigEndian.Uint32(values[0])) >= q.n {
		for _, i := range q.ops {
			s.results[i].OK = true
		}
		return
	}
	ok := map[whisk.ActivationID]bool{}
	readIDs(values[1], func(id whisk.ActivationID) { ok[id] = true })
	for _, i := range q.ops {
		s.results[i].OK = ok[s.ops[i].Of()]
	}
}

// ofOpAlone says whether a failure lies in what an op carries.
func ofOpAlone(err error) bool {
	s := stateOf(err)
	if len(s) < 2 {
		return false
	}
	switch s[:2] {
	case "22", // data
		"23", // constraints
		"54", // limits of the program
		"P0": // raised by a trigger
		return true
	}
	return false
}

// oneByOne carries out a commit of which PostgreSQL has refused something: each
// op apart, to find out whose fault it was. It is slow, and it is not known
// what would bring it about, since ops are looked at before.
func (d *DB) oneByOne(ctx context.Context, conn *pgx.Conn, b *batch) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	if err := d.each(ctx, tx, b); err != nil {
		_ = tx.Rollback(ctx) // fails only where the connection has
		return err
	}
	return tx.Commit(ctx)
}

func (d *DB) each(ctx context.Context, tx pgx.Tx, b *batch) error {
	if err := d.exchange(ctx, tx.Conn(), b, (*sender).leases); err != nil {
		return err
	}
	for i := range b.ops {
		if b.results[i].Err != nil {
			continue
		}
		b.results[i].OK = false
		if _, err := tx.Exec(ctx, "SAVEPOINT op"); err != nil {
			return err
		}
		err := d.exchange(ctx, tx.Conn(), b, func(s *sender) {
			var r round
			r[classOf(&b.ops[i])] = []int32{int32(i)}
			s.sendRound(&r)
		})
		end := "RELEASE op"
		if ofOpAlone(err) {
			b.results[i] = store.Result{Err: err}
			end, err = "ROLLBACK TO op", nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, end); err != nil {
			return err
		}
	}
	return nil
}
