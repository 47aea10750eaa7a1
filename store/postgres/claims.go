package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"hearth/store"
)

// claimText claims rows, by one look at the index for each claim that has
// queued rows, one for each namespace with rows that are free, and as many as
// it takes.
//
// A row is free if its claim is not one whose time is not over; 0 is none. The
// namespaces are looked at from the one behind that which was served last, and
// take turns: rows are ranked by their age within their namespace, and taken
// rank by rank. Those that somebody else is claiming or starting are passed
// over, which is why more are looked at than are wanted, but not so many as to
// make a claim cost more the more there is to claim: of many namespaces with
// rows the first are looked at, and of each as many as turns may come to.
//
//	$1 holder, $2 limit, $3 bytes, $4 rows of a namespace, $5 namespace served last
var claimText = `WITH RECURSIVE clock AS MATERIALIZED (
	SELECT now_ms() AS now
), held (claim) AS (
	(SELECT claim FROM queue WHERE state = 0 ORDER BY claim LIMIT 1)
	UNION ALL
	SELECT next.claim FROM held CROSS JOIN LATERAL
		(SELECT q.claim FROM queue q WHERE q.state = 0 AND q.claim > held.claim ORDER BY q.claim LIMIT 1) next
), free AS MATERIALIZED (
	SELECT claim FROM held WHERE claim = 0
		OR NOT EXISTS (SELECT 1 FROM claims c WHERE c.id = held.claim AND c.until > (SELECT now FROM clock))
), behind (claim, space, ready) AS (
	SELECT f.claim, h.* FROM free f CROSS JOIN LATERAL ` + headAfter("f.claim", "$5::integer") + ` h
	UNION ALL
	SELECT l.claim, h.* FROM behind l CROSS JOIN LATERAL ` + headAfter("l.claim", "l.space") + ` h
), before (claim, space, ready) AS (
	SELECT f.claim, h.* FROM free f CROSS JOIN LATERAL ` + headAfter("f.claim", "0") + ` h WHERE h.space <= $5
	UNION ALL
	SELECT l.claim, h.* FROM before l CROSS JOIN LATERAL ` + headAfter("l.claim", "l.space") + ` h WHERE h.space <= $5
), lanes AS MATERIALIZED (
	SELECT claim, space, lap FROM (
		SELECT claim, space, ready, 0 AS lap FROM behind UNION ALL SELECT claim, space, ready, 1 FROM before
	) heads WHERE ready <= (SELECT now FROM clock) LIMIT $2 * ` + lookAhead + `
), oldest AS (
	SELECT r.id, r.seq, lanes.claim, lanes.space, lanes.lap,
		row_number() OVER (PARTITION BY lanes.space ORDER BY r.ready, r.seq) AS age
	FROM lanes CROSS JOIN LATERAL (
		SELECT q.id, q.seq, q.ready FROM queue q
		WHERE q.state = 0 AND q.claim = lanes.claim AND q.space = lanes.space AND q.ready <= (SELECT now FROM clock)
		ORDER BY q.ready, q.seq LIMIT (SELECT least($4, $2 * ` + lookAhead + ` / count(*) + 1) FROM lanes)
	) r
), ranked AS (
	SELECT id, claim, row_number() OVER (ORDER BY rank, lap, space) AS turn FROM (
		SELECT id, claim, space, lap, row_number() OVER (PARTITION BY space ORDER BY seq) AS rank FROM oldest WHERE age <= $4
	) of_space ORDER BY turn LIMIT $2 * ` + lookAhead + `
), locked AS MATERIALIZED (
	SELECT q.id, r.turn, coalesce(octet_length(q.payload), 0) AS size
	FROM ranked r JOIN queue q ON q.id = r.id AND q.claim = r.claim AND q.state = 0
	ORDER BY r.turn LIMIT $2 FOR UPDATE OF q SKIP LOCKED
), chosen AS MATERIALIZED (
	SELECT id, turn FROM (
		SELECT id, turn, row_number() OVER by_turn AS n, sum(size) OVER by_turn AS bytes
		FROM locked WINDOW by_turn AS (ORDER BY turn)
	) summed WHERE n = 1 OR bytes <= $3
), claimed AS (
	UPDATE queue q SET holder = $1, claim = (SELECT coalesce(max(c.id), 0) FROM claims c WHERE c.holder = $1 AND c.until > (SELECT now FROM clock))
	FROM chosen WHERE q.id = chosen.id RETURNING q.*, chosen.turn
)
SELECT ` + queueColumns + `, q.space FROM claimed q JOIN spaces s ON s.id = q.space ORDER BY q.turn`

// lookAhead is how many times as many rows, and namespaces, as are wanted are
// looked at.
const lookAhead = "4"

// headAfter returns the oldest row of the next namespace that has queued ones
// of a claim.
func headAfter(claim, space string) string {
	return "(SELECT q.space, q.ready FROM queue q WHERE q.state = 0 AND q.claim = " + claim + " AND q.space > " + space +
		" ORDER BY q.space, q.ready LIMIT 1)"
}

// Claim implements [store.Engine]. It need not reach the disk: what is
// forgotten of it when the server dies is free again, and a start that came
// after it was not forgotten has brought it there.
func (d *DB) Claim(ctx context.Context, q store.ClaimQuery) (out []store.QueueRow, err error) {
	served := d.served.Load()
	err = d.claiming(ctx, q.Holder, func(b *pgx.Batch) {
		b.Queue(claimText, q.Holder, q.Limit, q.Bytes, min(q.PerNamespace, math.MaxInt32), served).Query(func(rows pgx.Rows) error {
			out, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (store.QueueRow, error) {
				return scanQueueRow(spaceLast{r, &served})
			})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("claim rows of the queue: %w", err)
	}
	d.served.Store(served)
	return out, nil
}

// spaceLast is a row with one more column, the number of its namespace.
type spaceLast struct {
	pgx.CollectableRow
	space *int32
}

// Scan implements [pgx.Row].
func (r spaceLast) Scan(dest ...any) error { return r.CollectableRow.Scan(append(dest, r.space)...) }

// RenewClaims implements [store.Engine]. Rows of an older claim, whose time was
// over, come under the new one.
func (d *DB) RenewClaims(ctx context.Context, holder int64) error {
	err := d.claiming(ctx, holder, func(b *pgx.Batch) {
		b.Queue(`UPDATE queue SET claim = (SELECT coalesce(max(id), 0) FROM claims WHERE holder = $1 AND until > `+now+`)
			WHERE id IN (
				SELECT q.id FROM claims c JOIN queue q ON q.claim = c.id
				WHERE c.holder = $1 AND c.until <= `+now+` AND q.state = 0 AND q.holder = $1
				ORDER BY q.id FOR UPDATE OF q SKIP LOCKED)`, holder)
		// Claims that nobody will look at any more.
		b.Queue(`DELETE FROM claims c WHERE until < `+now+` - $1::bigint
			AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.state = 0 AND q.claim = c.id)`, 10*d.cfg.ClaimLease.Milliseconds())
	})
	if err != nil {
		return fmt.Errorf("renew claims: %w", err)
	}
	return nil
}

// claiming carries statements out in one transaction, in which the holder has
// begun a lease anew.
func (d *DB) claiming(ctx context.Context, holder int64, statements func(*pgx.Batch)) error {
	for try := 1; ; try++ {
		_, err := d.use(ctx, d.commits, func(c *pgx.Conn) error {
			b := &pgx.Batch{}
			// For few rows of many; PostgreSQL does not know that they are few.
			b.Queue("SELECT set_config('synchronous_commit', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
			b.Queue(leaseStatement.text, []int64{holder}, [][16]byte{}, d.cfg.ClaimLease.Milliseconds(), 0)
			statements(b)
			return c.SendBatch(ctx, b).Close()
		})
		if !undone(err) || try == tries {
			return err
		}
	}
}
