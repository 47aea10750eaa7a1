package postgres

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

// plan returns the plan that serves all parameters of a statement.
func plan(t *testing.T, conn *pgx.Conn, text string) string {
	t.Helper()
	ctx := t.Context()
	s, err := conn.Prepare(ctx, "planned", text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer func() { _ = conn.Deallocate(ctx, "planned") }()
	nulls := ""
	if n := len(s.ParamOIDs); n > 0 {
		nulls = "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	rows, err := conn.Query(ctx, "EXPLAIN EXECUTE planned"+nulls, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Join(lines, "\n")
}

// whole finds scans of whole tables, but for those of one row.
var whole = regexp.MustCompile(`Seq Scan on (activations|queue|docs|dead_letters|claims|alarms|changes|credentials|spaces|names)\b`)

// TestPlans keeps statements on their indexes, in a database of whose contents
// the planner knows nothing.
func TestPlans(t *testing.T) {
	d := open(t, pgtest.Shared(t).Schema(t))
	defer closeDB(t, d)
	pooled, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer pooled.Release()
	conn := pooled.Conn()

	check := func(name, text string, want ...string) {
		t.Helper()
		got := plan(t, conn, text)
		if whole.MatchString(got) {
			t.Errorf("%s reads a whole table:\n%s", name, got)
		}
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: want %q in the plan\n%s", name, w, got)
			}
		}
	}
	for _, tt := range []struct {
		q     store.ActivationQuery
		index string
	}{
		{store.ActivationQuery{Namespace: "ns"}, "activations_space"},
		{store.ActivationQuery{Namespace: "ns", Since: 1, Upto: 2}, "activations_space"},
		{store.ActivationQuery{Namespace: "ns", Name: "a"}, "activations_name"},
		{store.ActivationQuery{Namespace: "ns", Name: "a", Since: 1}, "activations_name"},
	} {
		where, args := activationFilter(tt.q)
		name := fmt.Sprintf("%+v", tt.q)
		check(name, activationsText(where, len(args), true, true, false), "Index Scan Backward using "+tt.index)
		check("skip: "+name, activationsText(where, len(args), false, true, true),
			"Index Only Scan Backward using "+tt.index, "Index Scan Backward using "+tt.index)
		check("count: "+name, "SELECT count(*) FROM activations WHERE "+where, "Index Only Scan")
	}
	check("expire", expireText, "Tid Scan", "using activations_space")
	pkg := ""
	for index, q := range map[string]store.DocQuery{
		"docs_list": {Collection: store.Actions}, "docs_updated": {}, "docs_public": {Collection: store.Packages, Public: true},
		"docs": {Collection: store.Actions, Package: &pkg},
	} {
		where, args := docFilter(q)
		check(fmt.Sprintf("%+v", q), docsText(where, len(args), false), "using "+index)
		check(fmt.Sprintf("skip: %+v", q), docsText(where, len(args), true), "using "+index)
	}
	check("dead letters", deadText, "using dead_letters_space")
	check("overdue rows", "SELECT seq FROM ("+strings.Replace(overdue, "$2", "$1", 1)+") q", "using queue_started")
	for _, off := range []string{"hashjoin", "mergejoin"} { // as for claims
		if _, err := conn.Exec(t.Context(), "SET enable_"+off+" = off"); err != nil {
			t.Fatal(err)
		}
	}
	check("claim", claimText, "using queue_free", "using queue_pkey")
	for _, off := range []string{"hashjoin", "mergejoin"} {
		if _, err := conn.Exec(t.Context(), "RESET enable_"+off); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range statements {
		check(s.name, s.text)
	}
}

// TestListTies pages through records that have started together, with and
// without others around them.
func TestListTies(t *testing.T) {
	d := open(t, pgtest.Shared(t).Schema(t))
	defer closeDB(t, d)
	ops := benchRecords(60)
	for i, o := range ops {
		o.Record.Start = int64(1 + i/13)
	}
	if _, err := d.Commit(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	all, err := d.Activations(t.Context(), store.ActivationQuery{Namespace: "guest"})
	if err != nil || len(all) != len(ops) {
		t.Fatal(len(all), err)
	}
	for skip := range len(all) + 3 {
		for _, limit := range []int{0, 1, 7, 100} {
			got, err := d.Activations(t.Context(), store.ActivationQuery{Namespace: "guest", Skip: skip, Limit: limit, Brief: true})
			if err != nil {
				t.Fatal(err)
			}
			want := all[min(skip, len(all)):]
			if limit > 0 {
				want = want[:min(limit, len(want))]
			}
			if ids(got) != ids(want) {
				t.Errorf("skip %d, limit %d: %d records, want %d, or others", skip, limit, len(got), len(want))
			}
		}
	}
}

func ids(list []*whisk.Activation) string {
	var b strings.Builder
	for _, a := range list {
		b.WriteString(a.ID.String() + "\n")
	}
	return b.String()
}
