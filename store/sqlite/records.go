package sqlite

import (
	"database/sql"
	"fmt"
	"strings"

	"hearth/store"
	"hearth/whisk"
)

// rowSizes are how many records one statement may insert, each half of the one
// before, so that any number takes few statements. To start a statement costs
// more than to insert a row.
var rowSizes = [...]int{32, 16, 8, 4, 2, 1}

// recordRow is a record on its way into the table.
type recordRow struct {
	op                 int // its index among the ops
	id                 *whisk.ActivationID
	dead               *whisk.Activation // the record, if its queue row becomes a dead letter
	space, name, start int64
	head, body         []byte
}

// aloneBytes is the size from which a record gets a statement to itself.
// SQLite refuses one that is far larger, and does not undo the other rows of
// its statement.
const aloneBytes = 1 << 20

// insertText returns the statement that inserts n records. It passes over
// those whose id has one. With ON CONFLICT in place of OR IGNORE it could fail
// half-way for all that SQLite knows, which would then copy each page before
// it changes it.
func insertText(n int) string {
	const row = "(?, ?, ?, ?, ?, ?)"
	return "INSERT OR IGNORE INTO activations (id, space, name, start, head, body) VALUES " +
		row + strings.Repeat(", "+row, n-1)
}

// addRecord puts a record with the others that the next statement inserts.
func (b *batch) addRecord(op int, a *whisk.Activation) error {
	row := recordRow{op: op, id: &a.ID, start: a.Start}
	if a.Dead {
		row.dead = a
	}
	if a.Unstored {
		if b.holds(a.ID) { // that one ends the row
			if err := b.flush(); err != nil {
				return err
			}
		}
		b.results[op].OK = true
		return b.endRow(&row)
	}
	row.head, row.body = store.EncodeActivation(a)
	var err error
	if row.space, err = b.spaces.number(string(a.Namespace)); err != nil {
		return b.failed(op, err)
	}
	if row.name, err = b.names.number(a.FilterName()); err != nil {
		return b.failed(op, err)
	}
	large := len(row.head)+len(row.body) >= aloneBytes
	if large {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.rows = append(b.rows, row)
	if large || len(b.rows) == rowSizes[0] {
		return b.flush()
	}
	return nil
}

// holds reports whether a record of the id waits for flush.
func (b *batch) holds(id whisk.ActivationID) bool {
	for i := range b.rows {
		if *b.rows[i].id == id {
			return true
		}
	}
	return false
}

// flush inserts the records that wait and ends their queue rows.
func (b *batch) flush() error {
	rest := b.rows
	b.rows = b.rows[:0]
	for size := range rowSizes {
		for n := rowSizes[size]; len(rest) >= n; rest = rest[n:] {
			if err := b.insertRecords(size, rest[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertRecords inserts rowSizes[size] records.
func (b *batch) insertRecords(size int, rows []recordRow) error {
	b.args = b.args[:0]
	for i := range rows {
		r := &rows[i]
		b.args = append(b.args, r.id[:], r.space, r.name, r.start, r.head, nullable(r.body))
	}
	res, err := b.stmt(b.all.records[size]).ExecContext(b.ctx, b.args...)
	switch {
	case err == nil:
		err = b.noteInserted(rows, res)
	case len(rows) == 1:
		return b.failed(rows[0].op, err)
	case ofOpAlone(err): // SQLite has undone the statement; whose fault was it?
		for i := range rows {
			if err := b.insertRecords(len(rowSizes)-1, rows[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i := range rows {
		if err := b.endRow(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// noteInserted finds out which rows a statement has inserted. They are the
// last of the table, in their order and without a gap.
func (b *batch) noteInserted(rows []recordRow, res sql.Result) error {
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if int(n) == len(rows) {
		for i := range rows {
			b.results[rows[i].op].OK = true
		}
		return nil
	}
	if n == 0 {
		return nil
	}
	last, err := res.LastInsertId()
	if err != nil {
		return err
	}
	found, err := b.stmt(b.all.inserted).QueryContext(b.ctx, last-n)
	if err != nil {
		return err
	}
	defer func() { _ = found.Close() }()
	next := 0
	for ; found.Next(); n-- {
		var id sql.RawBytes
		if err := found.Scan(&id); err != nil {
			return err
		}
		for next < len(rows) && string(rows[next].id[:]) != string(id) {
			next++
		}
		if next == len(rows) {
			break
		}
		b.results[rows[next].op].OK = true
		next++
	}
	if err := found.Err(); err != nil {
		return err
	}
	if n != 0 {
		return fmt.Errorf("%d inserted records are not where they were expected", n)
	}
	return nil
}

// endRow deletes the queue row of a record's id, if it may have one.
func (b *batch) endRow(r *recordRow) error {
	if !b.queue.may(*r.id) {
		return nil
	}
	if r.dead != nil {
		if err := b.bury(r.dead); err != nil {
			return b.failed(r.op, err)
		}
	}
	if _, err := b.changed(b.all.unqueue, r.id[:]); err != nil {
		return b.failed(r.op, err)
	}
	b.queue.end(*r.id)
	b.holders.end(*r.id)
	return nil
}
