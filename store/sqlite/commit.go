package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	sqlitedriver "modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"hearth/store"
)

// checkEvery is how many ops of a commit go by between looks at its context.
const checkEvery = 64

// inserts are the prepared statements of Commit and what it remembers of the
// database. Only the holder of the writer's connection uses them.
type inserts struct {
	records                          [len(rowSizes)]*sql.Stmt
	inserted                         *sql.Stmt
	unqueue, enqueue, start, requeue *sql.Stmt
	attempt, again                   *sql.Stmt
	version, queued                  *sql.Stmt

	spaces, names interned
	queue         queued
}

func prepareInserts(ctx context.Context, db *sql.DB) (*inserts, error) {
	s := &inserts{spaces: newInterned(), names: newInterned()}
	for i, n := range rowSizes {
		var err error
		if s.records[i], err = db.PrepareContext(ctx, insertText(n)); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.inserted, `SELECT id FROM activations WHERE seq > ? ORDER BY seq`},
		{&s.unqueue, `DELETE FROM queue WHERE id = ?`},
		{&s.enqueue, `INSERT INTO queue (id, ns, state, token, until, created, attempt, due, code, payload)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
			WHERE ?3 = 0 OR NOT EXISTS (SELECT 1 FROM activations WHERE id = ?1)
			ON CONFLICT (id) DO NOTHING`},
		{&s.start, `UPDATE queue SET state = 1, token = ?1, until = ?2 WHERE id = ?3 AND (state = 0 AND ?4 OR state = 1 AND token = ?1)`},
		{&s.requeue, `UPDATE queue SET state = 0, token = 0, until = 0 WHERE id = ? AND state = 1 AND token = ?`},
		{&s.attempt, `SELECT attempt FROM queue WHERE id = ?`},
		{&s.again, againText},
		{&s.version, `PRAGMA data_version`},
		{&s.queued, `SELECT id FROM queue`},
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
	all := append(s.records[:], s.inserted, s.unqueue, s.enqueue, s.start, s.requeue, s.attempt, s.again, s.version, s.queued,
		s.spaces.find, s.spaces.add, s.names.find, s.names.add)
	for _, stmt := range all {
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
		return nil, d.report(wrap(err, fmt.Sprintf("commit %d operations", len(ops))))
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
	b := newBatch(calm, tx, d, len(ops))
	if err = b.run(ctx, ops); err != nil {
		_ = tx.Rollback() // fails only where SQLite has done it already
	} else {
		err = tx.Commit()
	}
	if err != nil {
		b.queue.lose()
		d.claims.forgetHeads()
		return nil, err
	}
	b.keep()
	return b.results, nil
}

// batch is one commit under way.
type batch struct {
	ctx     context.Context
	tx      *sql.Tx
	all     *inserts
	results []store.Result

	rows []recordRow // wait to be inserted
	args []any       // of the statement that inserts them

	spaces, names newNames
	queue         *queued
	holders       newHolds
}

func newBatch(ctx context.Context, tx *sql.Tx, d *DB, ops int) *batch {
	s := d.insert
	return &batch{
		ctx: ctx, tx: tx, all: s, results: make([]store.Result, ops),
		rows:   make([]recordRow, 0, min(ops, rowSizes[0])),
		spaces: newNames{ctx: ctx, tx: tx, known: &s.spaces}, names: newNames{ctx: ctx, tx: tx, known: &s.names},
		queue: &s.queue, holders: newHolds{known: d.claims},
	}
}

// stmt returns a prepared statement as one of the transaction.
func (b *batch) stmt(s *sql.Stmt) *sql.Stmt { return b.tx.StmtContext(b.ctx, s) }

// run carries out ops in an order that nobody can tell from theirs: those of
// one id keep it.
func (b *batch) run(ctx context.Context, ops []store.Op) error {
	if err := b.queue.begin(b.ctx, b.stmt(b.all.version), b.stmt(b.all.queued)); err != nil {
		return err
	}
	for i := range ops {
		if i%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := b.do(i, &ops[i]); err != nil {
			return err
		}
	}
	return b.flush()
}

// keep remembers what the commit has made true.
func (b *batch) keep() {
	b.spaces.keep()
	b.names.keep()
	b.queue.keep()
	b.holders.keep()
}

// do carries out one op. An error is one of the whole commit.
func (b *batch) do(i int, o *store.Op) error {
	if err := o.Check(); err != nil {
		b.results[i].Err = err
		return nil
	}
	switch {
	case o.Kind == store.OpRecord && (o.Record.Attempt > 0 || o.Record.Again > 0):
		return b.addAttempt(i, o.Record)
	case o.Kind == store.OpRecord:
		return b.addRecord(i, o.Record)
	case b.holds(o.Of()) || o.Kind == store.OpRedrive && b.holds(o.Row.ID):
		if err := b.flush(); err != nil {
			return err
		}
	}
	if o.Kind == store.OpCancel {
		return b.cancel(i, o)
	}
	ok, err := b.changeRow(i, o)
	b.results[i].OK = ok && err == nil
	return b.failed(i, err)
}

// changeRow carries out an op of a row alone.
func (b *batch) changeRow(i int, o *store.Op) (ok bool, err error) {
	switch o.Kind {
	case store.OpEnqueue:
		return b.insertRow(o.Row, store.RowQueued, 0)
	case store.OpStartNew:
		return b.insertRow(o.Row, store.RowStarted, o.For)
	case store.OpStart:
		return b.changed(b.all.start, o.Token, time.Now().Add(o.For).UnixMilli(), o.ID[:], b.holders.of(o.ID) == o.Holder)
	case store.OpRequeue:
		if ok, err = b.changed(b.all.requeue, o.ID[:], o.Token); ok {
			b.holders.give(o.ID, o.Holder)
		}
	case store.OpRelease:
		return b.release(o)
	case store.OpRedrive:
		return b.redrive(o)
	case store.OpStep:
		return b.step(i, o)
	}
	return ok, err
}

// failed notes an error that lies in what an op carries and returns any other,
// which is one of the whole commit.
func (b *batch) failed(op int, err error) error {
	if err == nil || !ofOpAlone(err) {
		return err
	}
	b.results[op] = store.Result{Err: err}
	return nil
}

// insertRow inserts a row under its holder, a started one for so long.
func (b *batch) insertRow(r *store.QueueRow, state store.RowState, lasts time.Duration) (bool, error) {
	var token, until int64
	if state == store.RowStarted {
		token, until = r.Token, time.Now().Add(lasts).UnixMilli()
	}
	b.queue.add(r.ID)
	ok, err := b.changed(b.all.enqueue, r.ID[:], string(r.Namespace), int64(state), token, until, r.Created, r.Attempt, r.Due, digest(r.Code), nullable(r.Payload))
	if ok && r.Holder != 0 {
		b.holders.give(r.ID, r.Holder)
	}
	return ok, err
}

// changed runs a statement and reports whether it changed a row.
func (b *batch) changed(s *sql.Stmt, args ...any) (bool, error) {
	res, err := b.stmt(s).ExecContext(b.ctx, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// ofOpAlone says whether a failure lies in what an op carries. SQLite undoes
// such a statement and goes on with the transaction.
func ofOpAlone(err error) bool {
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
