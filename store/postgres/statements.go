package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statement is one of those that a commit is made of. It works on any number of
// rows, of which each parameter that is an array has a column, and returns one
// row: how many ids it was successful with, and which, unless it was with all
// (of which there are as many as its last parameter says).
type statement struct {
	name  string
	arity int
	text  string
}

// ofAll ends statements; successful is a table of ids.
const ofAll = " SELECT count(*)::integer, CASE WHEN count(*) < $N THEN array_agg(id) END FROM successful"

func newStatement(name string, arity int, text string) *statement {
	text += strings.Replace(ofAll, "$N", "$"+strconv.Itoa(arity)+"::integer", 1)
	return &statement{"hearth_" + name, arity, text}
}

// now is the clock at the time of a statement, as an index takes it.
const now = "(SELECT now_ms())"

// live is the claim that a holder has now, by its number in the table claims.
func live(holder string) string {
	return "coalesce((SELECT max(c.id) FROM claims c WHERE c.holder = " + holder + " AND c.until > " + now + "), 0)"
}

// Rows of tables as arrays; the parameters' numbers follow each other.
const (
	recordColumns = "id, start, space, name, head, body"
	rowColumns    = "id, space, state, holder, token, lasts, created, attempt, due, code, payload"
)

// records returns the table of records that begins with a parameter.
func records(first int) string {
	return unnest(first, "uuid", "bigint", "integer", "integer", "bytea", "bytea") + " AS r (" + recordColumns + ")"
}

// rows returns the table of queue rows that begins with a parameter, and before
// them columns with more ids.
func rows(first int, ids ...string) string {
	types := []string{"uuid", "integer", "integer", "bigint", "bigint", "bigint", "bigint", "integer", "bigint", "bytea", "bytea"}
	columns := rowColumns
	for _, id := range ids {
		types, columns = append([]string{"uuid"}, types...), id+", "+columns
	}
	return unnest(first, types...) + " WITH ORDINALITY AS r (" + columns + ", n)"
}

func unnest(first int, types ...string) string {
	var b strings.Builder
	for i, t := range types {
		b.WriteString(map[bool]string{true: "unnest(", false: ", "}[i == 0])
		b.WriteString("$" + strconv.Itoa(first+i) + "::" + t + "[]")
	}
	return b.String() + ")"
}

// putRecords inserts those of a table if absent.
func putRecords(from string) string {
	return "INSERT INTO activations (" + recordColumns + ") SELECT " + recordColumns + " FROM " + from + " ON CONFLICT (id) DO NOTHING"
}

// putRows inserts rows of a table in their order. Those that have started
// neither have a claim nor are inserted beside a record.
func putRows(from string) string {
	return `INSERT INTO queue (id, space, state, holder, claim, token, until, created, attempt, due, ready, code, payload)
		SELECT id, space, state, holder, CASE WHEN state = 0 THEN ` + live("r.holder") + ` ELSE 0 END, token,
			CASE WHEN state = 0 THEN 0 ELSE ` + now + ` + lasts END, created, attempt, due, greatest(due, ` + now + `), code, payload
		FROM ` + from + ` WHERE (state = 0 OR NOT EXISTS (SELECT 1 FROM activations a WHERE a.id = r.id))
		ORDER BY n ON CONFLICT (id) DO NOTHING`
}

// The statements of a commit.
var (
	// leaseStatement gives holders, and those of rows, a new lease. A claim
	// whose time is over stays so: what was held by it is free.
	leaseStatement = newStatement("lease", 4, `WITH held AS (
			SELECT unnest($1::bigint[]) AS holder
			UNION SELECT holder FROM queue WHERE id = ANY ($2::uuid[]) AND holder <> 0
		), kept AS (
			UPDATE claims SET until = `+now+` + $3::bigint
			WHERE holder IN (SELECT holder FROM held) AND until > `+now+` RETURNING holder
		), made AS (
			INSERT INTO claims (holder, until)
			SELECT holder, `+now+` + $3::bigint FROM held WHERE holder NOT IN (SELECT holder FROM kept)
		), successful (id) AS (SELECT NULL::uuid WHERE false)`)

	recordStatement = newStatement("record", 7, "WITH successful AS ("+putRecords(records(1))+" RETURNING id)")

	endStatement = newStatement("end", 2, "WITH successful AS (DELETE FROM queue WHERE id = ANY ($1::uuid[]) RETURNING id)")

	rowStatement = newStatement("row", 12, "WITH successful AS ("+putRows(rows(1))+" RETURNING id)")

	startStatement = newStatement("start", 5, `WITH successful AS (
		UPDATE queue q SET state = 1, token = o.token, until = `+now+` + o.lasts
		FROM `+unnest(1, "uuid", "bigint", "bigint", "bigint")+` AS o (id, token, holder, lasts)
		WHERE q.id = o.id AND (q.state = 0 AND q.holder = o.holder OR q.state = 1 AND q.token = o.token)
		RETURNING q.id)`)

	requeueStatement = newStatement("requeue", 4, `WITH successful AS (
		UPDATE queue q SET state = 0, token = 0, until = 0, holder = o.holder, claim = `+live("o.holder")+`
		FROM `+unnest(1, "uuid", "bigint", "bigint")+` AS o (id, token, holder)
		WHERE q.id = o.id AND q.state = 1 AND q.token = o.token
		RETURNING q.id)`)

	releaseStatement = newStatement("release", 3, `WITH successful AS (
		UPDATE queue q SET holder = 0, claim = 0
		FROM `+unnest(1, "uuid", "bigint")+` AS o (id, holder)
		WHERE q.id = o.id AND q.state = 0 AND q.holder = o.holder AND o.holder <> 0
		RETURNING q.id)`)

	cancelStatement = newStatement("cancel", 8, `WITH r AS MATERIALIZED (SELECT * FROM `+records(1)+`), successful AS (
			DELETE FROM queue q USING r WHERE q.id = r.id AND q.state = 0 RETURNING q.id
		), put AS (
			`+putRecords("r WHERE id IN (SELECT id FROM successful) AND NOT id = ANY ($7::uuid[])")+`
		)`)

	attemptStatement = newStatement("attempt", 14, `WITH r AS MATERIALIZED (
			SELECT * FROM `+unnest(1, "uuid", "bigint", "integer", "integer", "bytea", "bytea",
		"integer", "bigint", "boolean", "boolean", "text", "bigint", "text")+`
				AS r (`+recordColumns+`, attempt, again, dead, unstored, label, ended, reason)
		), held AS MATERIALIZED (
			SELECT q.id, q.attempt FROM queue q JOIN r USING (id) ORDER BY q.id FOR UPDATE OF q
		), fresh AS MATERIALIZED (
			SELECT r.* FROM r LEFT JOIN held h USING (id) WHERE h.id IS NULL OR r.attempt = 0 OR h.attempt = r.attempt
		), queued AS (
			UPDATE queue q SET state = 0, token = 0, until = 0, attempt = q.attempt + 1,
				due = `+now+` + f.again, ready = `+now+` + f.again, claim = `+live("q.holder")+`
			FROM fresh f WHERE q.id = f.id AND f.again > 0 AND NOT EXISTS (SELECT 1 FROM activations a WHERE a.id = f.id)
			RETURNING q.id
		), put AS (
			`+putRecords("fresh WHERE again <= 0 AND NOT unstored")+` RETURNING id
		), gone AS (
			DELETE FROM queue q USING fresh f WHERE q.id = f.id AND f.again <= 0
			RETURNING q.id, q.space, f.label, q.created, f.ended, f.attempt, f.reason, q.code, q.payload, f.dead
		), buried AS (
			INSERT INTO dead_letters (id, space, name, created, ended, attempts, reason, code, payload)
			SELECT id, space, label, created, ended, attempt, reason, code, payload FROM gone WHERE dead
			ON CONFLICT (id) DO NOTHING
		), successful AS (
			SELECT id FROM queued UNION ALL SELECT id FROM put UNION ALL SELECT id FROM fresh WHERE again <= 0 AND unstored
		)`)

	redriveStatement = newStatement("redrive", 13, `WITH o AS MATERIALIZED (
			SELECT * FROM `+rows(1, "dead")+`
		), letter AS MATERIALIZED (
			SELECT l.id FROM dead_letters l JOIN o ON l.id = o.dead AND l.space = o.space ORDER BY l.id FOR UPDATE OF l
		), put AS (
			`+putRows("(SELECT * FROM o WHERE dead IN (SELECT id FROM letter)) AS r")+` RETURNING id
		), gone AS (
			DELETE FROM dead_letters l USING o WHERE l.id = o.dead AND o.id IN (SELECT id FROM put)
		), successful (id) AS (
			SELECT dead FROM o WHERE id IN (SELECT id FROM put)
		)`)

	// stepStatement carries out one step. It is successful with one row at
	// least, whose id means nothing.
	stepStatement = newStatement("step", 30, `WITH moved AS (
			UPDATE alarms SET tick = $6, due = nullif($7::bigint, 0), token = $5, fired = $8, changed = $9, status = $10, reason = $11
			WHERE ns = $1 AND name = $2 AND revision = $3 AND tick = $4 RETURNING 1
		), queued AS (
			`+putRows("(SELECT * FROM "+rows(12)+" WHERE EXISTS (SELECT 1 FROM moved)) AS r")+`
		), put AS (
			`+putRecords(records(23)+" WHERE EXISTS (SELECT 1 FROM moved)")+`
		), gone AS (
			DELETE FROM queue WHERE id = ANY ($29::uuid[]) AND EXISTS (SELECT 1 FROM moved)
		), successful (id) AS (
			SELECT NULL::uuid FROM moved
			UNION ALL SELECT NULL FROM alarms WHERE ns = $1 AND name = $2 AND revision = $3 AND token = $5
		)`)
)

// prepared says that a connection knows the statements.
const prepared = "hearth prepared"

var statements = []*statement{
	leaseStatement, recordStatement, endStatement, rowStatement, startStatement, requeueStatement, releaseStatement,
	cancelStatement, attemptStatement, redriveStatement, stepStatement,
}

// prepare makes the statements known to a connection, once.
func prepare(ctx context.Context, conn *pgx.Conn) error {
	known := conn.PgConn().CustomData()
	if known[prepared] != nil {
		return nil
	}
	p := conn.PgConn().StartPipeline(ctx)
	for _, s := range statements {
		p.SendPrepare(s.name, s.text, nil)
	}
	err := p.Sync()
	for err == nil {
		var result any
		if result, err = p.GetResults(); result == nil {
			break
		}
	}
	if e := p.Close(); err == nil {
		err = e
	}
	if err == nil {
		known[prepared] = true
	}
	return err
}
