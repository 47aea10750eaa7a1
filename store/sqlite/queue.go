package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hearth/store"
	"hearth/whisk"
)

const rowColumns = "seq, id, ns, state, token, until, created, attempt, due, code, payload"

func scanRow(s scanner) (store.QueueRow, error) {
	var r store.QueueRow
	var id, code []byte
	err := s.Scan(&r.Seq, &id, &r.Namespace, &r.State, &r.Token, &r.Until, &r.Created, &r.Attempt, &r.Due, &code, &r.Payload)
	copy(r.ID[:], id)
	copy(r.Code[:], code)
	return r, err
}

// pageBytes is how many bytes of payloads a list of rows goes on after.
const pageBytes = 8 << 20

// queueRows lists rows until their payloads are many bytes.
func (d *DB) queueRows(ctx context.Context, where string, args ...any) ([]store.QueueRow, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT "+rowColumns+" FROM queue "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.QueueRow
	for size := 0; size < pageBytes && rows.Next(); {
		r, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		out = append(out, r)
		size += len(r.Payload)
	}
	d.claims.show(out)
	return out, wrap(rows.Err(), "read the queue")
}

// QueueRows implements [store.Engine].
func (d *DB) QueueRows(ctx context.Context, after int64, most int) ([]store.QueueRow, error) {
	return d.queueRows(ctx, "WHERE seq > ? ORDER BY seq LIMIT ?", after, max(most, 0))
}

// Overdue implements [store.Engine].
func (d *DB) Overdue(ctx context.Context, most int) ([]store.QueueRow, error) {
	return d.queueRows(ctx, "WHERE state = 1 AND until < ? ORDER BY until, seq LIMIT ?", time.Now().UnixMilli(), max(most, 0))
}

// QueueRow implements [store.Engine].
func (d *DB) QueueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (store.QueueRow, error) {
	r, err := scanRow(d.reader.QueryRowContext(ctx, "SELECT "+rowColumns+" FROM queue WHERE id = ? AND ns = ?", id[:], string(ns)))
	if errors.Is(err, sql.ErrNoRows) {
		return store.QueueRow{}, whisk.ErrNotFound
	}
	r.Holder = d.claims.of(id).holder
	return r, wrap(err, "read the queue's row of "+id.String())
}

// RenewClaims implements [store.Engine].
func (d *DB) RenewClaims(_ context.Context, holder int64) error {
	d.claims.renew(holder)
	return nil
}

// Claim implements [store.Engine].
func (d *DB) Claim(ctx context.Context, q store.ClaimQuery) ([]store.QueueRow, error) {
	chosen, err := d.choose(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("claim rows of the queue: %w", err)
	}
	return d.claimed(ctx, chosen)
}

// candidate is a row that may be claimed.
type candidate struct {
	seq, size int64
	id        whisk.ActivationID
	ns        whisk.Namespace
}

// choose claims rows while it has the writer's connection: nobody starts one of
// them meanwhile. Payloads it leaves alone, not to keep it for long.
func (d *DB) choose(ctx context.Context, q store.ClaimQuery) ([]candidate, error) {
	conn, err := d.writer.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // gives it back
	namespaces, err := queuedSpaces(ctx, conn)
	if err != nil {
		return nil, err
	}
	// The first turn is that of the namespace behind the one served last.
	at, found := slices.BinarySearch(namespaces, d.served)
	if found {
		at++
	}
	now := time.Now()
	var lanes [][]candidate
	for i := range namespaces {
		lane, err := d.lane(ctx, conn, namespaces[(at+i)%len(namespaces)], now, q.PerNamespace)
		if err != nil {
			return nil, err
		}
		if len(lane) == 0 {
			continue
		}
		if lanes = append(lanes, lane); len(lanes) == q.Limit {
			break
		}
	}
	chosen := store.TakeTurns(q, lanes, func(c candidate) int64 { return c.size })
	holds := make(map[whisk.ActivationID]hold, len(chosen))
	for _, c := range chosen {
		holds[c.id] = hold{q.Holder, now.Add(d.claims.lease)}
		d.served = c.ns
	}
	d.claims.set(holds)
	return chosen, nil
}

// queuedSpaces lists the namespaces that have queued rows, by as many looks
// at the index.
func queuedSpaces(ctx context.Context, conn *sql.Conn) ([]whisk.Namespace, error) {
	rows, err := conn.QueryContext(ctx, `WITH RECURSIVE spaces (ns) AS (
			SELECT min(ns) FROM queue WHERE state = 0
			UNION ALL
			SELECT (SELECT min(ns) FROM queue WHERE state = 0 AND ns > spaces.ns) FROM spaces WHERE ns IS NOT NULL
		) SELECT ns FROM spaces WHERE ns IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []whisk.Namespace
	for rows.Next() {
		var ns whisk.Namespace
		if err := rows.Scan(&ns); err != nil {
			return nil, err
		}
		out = append(out, ns)
	}
	return out, rows.Err()
}

const (
	// laneText and dueText list queued rows of a namespace in the order of the
	// index. Those that had to wait until they are due stand apart there.
	laneText = `SELECT seq, id, ifnull(length(payload), 0) FROM queue
		WHERE state = 0 AND ns = ? AND due = 0 AND seq >= ? ORDER BY seq`
	dueText = `SELECT seq, id, ifnull(length(payload), 0) FROM queue
		WHERE state = 0 AND ns = ? AND due > 0 AND due <= ? ORDER BY due, seq`
)

// lane returns the oldest rows of a namespace that may be claimed.
func (d *DB) lane(ctx context.Context, conn *sql.Conn, ns whisk.Namespace, now time.Time, most int) ([]candidate, error) {
	front, whole := d.claims.head(ns, now), true
	atOnce, err := candidates(ctx, conn, ns, most, func(c *candidate) bool {
		h := d.claims.of(c.id)
		if whole = whole && !h.free(now); whole {
			front = front.with(c.seq, h)
		}
		return h.free(now)
	}, laneText, string(ns), front.before)
	if err != nil {
		return nil, err
	}
	d.claims.setHead(ns, front)
	waited, err := candidates(ctx, conn, ns, most, func(c *candidate) bool { return d.claims.of(c.id).free(now) },
		dueText, string(ns), now.UnixMilli())
	if err != nil {
		return nil, err
	}
	lane := append(atOnce, waited...)
	if len(waited) > 0 {
		slices.SortFunc(lane, func(a, b candidate) int { return cmp.Compare(a.seq, b.seq) })
	}
	return lane[:min(most, len(lane))], nil
}

// candidates lists the first rows that are free.
func candidates(ctx context.Context, conn *sql.Conn, ns whisk.Namespace, most int, free func(*candidate) bool, text string, args ...any) ([]candidate, error) {
	rows, err := conn.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []candidate
	for len(out) < most && rows.Next() {
		var id sql.RawBytes
		c := candidate{ns: ns}
		if err := rows.Scan(&c.seq, &id, &c.size); err != nil {
			return nil, err
		}
		copy(c.id[:], id)
		if free(&c) {
			out = append(out, c)
		}
	}
	return out, rows.Err()
}

// claimed reads the rows that were chosen. Those that were cancelled since are
// not among them.
func (d *DB) claimed(ctx context.Context, chosen []candidate) ([]store.QueueRow, error) {
	if len(chosen) == 0 {
		return nil, nil
	}
	place := make(map[int64]int, len(chosen))
	seqs := make([]int64, len(chosen))
	for i, c := range chosen {
		seqs[i], place[c.seq] = c.seq, i
	}
	text, err := json.Marshal(seqs)
	if err != nil {
		return nil, err
	}
	rows, err := d.reader.QueryContext(ctx, "SELECT "+rowColumns+" FROM queue WHERE seq IN (SELECT value FROM json_each(?)) AND state = 0", string(text))
	if err != nil {
		return nil, fmt.Errorf("read claimed rows: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := make([]store.QueueRow, 0, len(chosen))
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("read claimed rows: %w", err)
		}
		out = append(out, r)
	}
	d.claims.show(out)
	slices.SortFunc(out, func(a, b store.QueueRow) int { return place[a.Seq] - place[b.Seq] })
	return out, wrap(rows.Err(), "read claimed rows")
}
