package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlitedriver "modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"hearth/store"
	"hearth/whisk"
)

// checkEvery is how many ops of a commit go by between looks at its context.
const checkEvery = 64

// inserts are the prepared statements of Commit and the numbers that it knows
// for namespaces and names. Only the holder of the writer's connection uses
// them.
type inserts struct {
	record, unqueue, enqueue, start, requeue *sql.Stmt

	spaces, names interned
}

func prepareInserts(ctx context.Context, db *sql.DB) (*inserts, error) {
	s := &inserts{spaces: newInterned(), names: newInterned()}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.record, `INSERT INTO activations (id, space, name, start, head, body) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`},
		{&s.unqueue, `DELETE FROM queue WHERE id = ?`},
		{&s.enqueue, `INSERT INTO queue (id, ns, state, token, until, created, code, payload)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
			WHERE ?3 = 0 OR NOT EXISTS (SELECT 1 FROM activations WHERE id = ?1)
			ON CONFLICT (id) DO NOTHING`},
		{&s.start, `UPDATE queue SET state = 1, token = ?1, until = ?2 WHERE id = ?3 AND (state = 0 OR token = ?1)`},
		{&s.requeue, `UPDATE queue SET state = 0, token = 0, until = 0 WHERE id = ? AND state = 1 AND token = ?`},
		{&s.spaces.find, `SELECT id FROM spaces WHERE text = ?`},
		{&s.spaces.add, `INSERT INTO spaces (text) VALUES (?)`},
		{&s.names.find, `SELECT id FROM names WHERE text = ?`},
		{&s.names.add, `INSERT INTO names (text) VALUES (?)`},
	} {
		stmt, err := db.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		*p.stmt = stmt
	}
	return s, nil
}

func (s *inserts) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{s.record, s.unqueue, s.enqueue, s.start, s.requeue, s.spaces.find, s.spaces.add, s.names.find, s.names.add} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// Commit implements [store.Engine].
func (d *DB) Commit(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	results, err := d.commit(ctx, ops)
	if err != nil {
		return nil, fmt.Errorf("commit %d operations: %w", len(ops), err)
	}
	return results, nil
}

func (d *DB) commit(ctx context.Context, ops []store.Op) ([]store.Result, error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // gives it back
	// Within the transaction the driver would watch a context that can end
	// with a goroutine for each statement: it is looked at here instead.
	calm := context.WithoutCancel(ctx)
	tx, err := conn.BeginTx(calm, nil)
	if err != nil {
		return nil, err
	}
	b := newBatch(calm, tx, d.insert)
	results := make([]store.Result, len(ops))
	for i := range ops {
		if i%checkEvery == 0 {
			err = ctx.Err()
		}
		if err == nil {
			results[i], err = b.do(&ops[i])
		}
		if err != nil {
			_ = tx.Rollback() // fails only where SQLite has done it already
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	b.keep()
	return results, nil
}

// batch is one commit under way.
type batch struct {
	ctx context.Context
	all *inserts

	record, unqueue, enqueue, start, requeue *sql.Stmt // the same, within the transaction

	spaces, names newNames
}

func newBatch(ctx context.Context, tx *sql.Tx, s *inserts) *batch {
	return &batch{
		ctx: ctx, all: s,
		record: tx.StmtContext(ctx, s.record), unqueue: tx.StmtContext(ctx, s.unqueue),
		enqueue: tx.StmtContext(ctx, s.enqueue), start: tx.StmtContext(ctx, s.start), requeue: tx.StmtContext(ctx, s.requeue),
		spaces: newNames{ctx: ctx, tx: tx, known: &s.spaces}, names: newNames{ctx: ctx, tx: tx, known: &s.names},
	}
}

// keep remembers the numbers that the commit gave out.
func (b *batch) keep() {
	b.spaces.keep()
	b.names.keep()
}

// do carries out one op. An error is one of the whole commit.
func (b *batch) do(o *store.Op) (store.Result, error) {
	if err := o.Check(); err != nil {
		return store.Result{Err: err}, nil
	}
	var ok bool
	var err error
	switch o.Kind {
	case store.OpRecord:
		ok, err = b.insertRecord(o.Record)
	case store.OpEnqueue:
		ok, err = b.insertRow(o.Row, store.RowQueued, 0, 0)
	case store.OpStartNew:
		ok, err = b.insertRow(o.Row, store.RowStarted, o.Row.Token, o.Row.Until)
	case store.OpStart:
		ok, err = b.changed(b.start, o.Token, o.Until, o.ID[:])
	case store.OpRequeue:
		ok, err = b.changed(b.requeue, o.ID[:], o.Token)
	}
	if err != nil && ofOpAlone(err) {
		return store.Result{Err: err}, nil
	}
	return store.Result{OK: ok}, err
}

func (b *batch) insertRecord(a *whisk.Activation) (bool, error) {
	inserted := true
	if !a.Unstored {
		head, body, err := store.EncodeActivation(a)
		if err != nil {
			return false, opError{err}
		}
		space, err := b.spaces.number(string(a.Namespace))
		if err != nil {
			return false, err
		}
		name, err := b.names.number(a.FilterName())
		if err != nil {
			return false, err
		}
		if inserted, err = b.changed(b.record, a.ID[:], space, name, a.Start, head, nullable(body)); err != nil {
			return false, err
		}
	}
	_, err := b.changed(b.unqueue, a.ID[:])
	return inserted, err
}

func (b *batch) insertRow(r *store.QueueRow, state store.RowState, token, until int64) (bool, error) {
	return b.changed(b.enqueue, r.ID[:], string(r.Namespace), int64(state), token, until, r.Created, digest(r.Code), nullable(r.Payload))
}

// changed runs a statement and reports whether it changed a row.
func (b *batch) changed(s *sql.Stmt, args ...any) (bool, error) {
	res, err := s.ExecContext(b.ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// opError is the failure of one op, before SQLite saw it.
type opError struct{ error }

func (e opError) Unwrap() error { return e.error }

// ofOpAlone says whether a failure lies in what an op carries. SQLite undoes
// such a statement and goes on with the transaction.
func ofOpAlone(err error) bool {
	if _, ok := errors.AsType[opError](err); ok {
		return true
	}
	e, ok := errors.AsType[*sqlitedriver.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // without the extended part
	case sqlitelib.SQLITE_TOOBIG, sqlitelib.SQLITE_CONSTRAINT, sqlitelib.SQLITE_MISMATCH:
		return true
	}
	return false
}
