package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/store"
	"hearth/store/storetest"
	"hearth/whisk"
)

func open(t testing.TB, dir string) *DB {
	t.Helper()
	d, err := Open(t.Context(), DefaultConfig(filepath.Join(dir, "hearth.db")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func closeDB(t *testing.T, d *DB) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// run runs a statement beside the engine's own.
func run(t *testing.T, d *DB, text string, args ...any) {
	t.Helper()
	if _, err := d.writer.Exec(text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string, lease time.Duration) store.Engine {
		cfg := DefaultConfig(filepath.Join(dir, "hearth.db"))
		cfg.ClaimLease = lease
		d, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	run(t, d, "INSERT INTO migrations (number, name, at) VALUES (999, 'of the future', 0)")
	closeDB(t, d)
	path := filepath.Join(dir, "hearth.db")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), DefaultConfig(path))
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "999") {
		t.Errorf("error = %v, want one that names the file and its schema", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the refused database was changed (%v)", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE theirs (x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{foreign, garbage, dir, filepath.Join(dir, "missing", "x.db"), ""} {
		d, err := Open(t.Context(), DefaultConfig(path))
		if err == nil {
			t.Errorf("%q was opened", path)
			closeDB(t, d)
		}
	}
	for _, cfg := range []Config{{Path: "x"}, {Path: "x", Readers: 1}, {Path: "x", Readers: 1, ChangesKept: 1, BusyTimeout: -1}} {
		if cfg.Validate() == nil {
			t.Errorf("%+v is valid", cfg)
		}
	}
}

func TestOddPathAndModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a?b=c%20d #e&f")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d := open(t, dir)
	defer closeDB(t, d)
	if _, err := d.Commit(t.Context(), []store.Op{{Kind: store.OpRecord, Record: benchRecord(1)}}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v; want the database, its log and the log's index", len(files), err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
}

func TestMigrationsOnce(t *testing.T) {
	dir := t.TempDir()
	all, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d := open(t, dir)
		var n int
		if err := d.writer.QueryRow("SELECT count(*) FROM migrations").Scan(&n); err != nil || n != len(all) {
			t.Errorf("%d migrations are noted, %v, want %d", n, err, len(all))
		}
		closeDB(t, d)
	}
}

// TestFullDatabase fails a whole commit and then gives it again.
func TestFullDatabase(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	run(t, d, "PRAGMA max_page_count = 60")
	var ops []store.Op
	for i := range 500 {
		a := benchRecord(i)
		a.Namespace = whisk.Namespace(fmt.Sprint("ns", i%3)) // new names, whose numbers the rollback takes back
		ops = append(ops, store.Op{Kind: store.OpRecord, Record: a})
	}
	if _, err := d.Commit(t.Context(), ops); err == nil {
		t.Fatal("the commit did not fail")
	}
	if n, err := d.CountActivations(t.Context(), store.ActivationQuery{Namespace: "ns1"}); err != nil || n != 0 {
		t.Errorf("%d records of a failed commit, %v", n, err)
	}
	run(t, d, "PRAGMA max_page_count = 100000")
	run(t, d, "INSERT INTO spaces (id, text) VALUES (1, 'somebody else')")
	results, err := d.Commit(t.Context(), ops)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if !r.OK || r.Err != nil {
			t.Fatalf("op %d: %+v", i, r)
		}
	}
	for _, o := range ops {
		if _, err := d.Activation(t.Context(), o.Record.Namespace, o.Record.ID); err != nil {
			t.Fatalf("record: %v", err)
		}
	}
}

// TestRefusedStatement has SQLite refuse one op of a commit.
func TestRefusedStatement(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	run(t, d, "CREATE TRIGGER refuse BEFORE INSERT ON activations WHEN new.start = 666 BEGIN SELECT RAISE(ABORT, 'no'); END")
	bad := benchRecord(0)
	bad.Start = 666
	results, err := d.Commit(t.Context(), []store.Op{
		{Kind: store.OpRecord, Record: benchRecord(1)}, {Kind: store.OpRecord, Record: bad}, {Kind: store.OpRecord, Record: benchRecord(2)},
	})
	if err != nil || !results[0].OK || results[1].Err == nil || !results[2].OK {
		t.Errorf("results %+v, %v; want the second alone to fail", results, err)
	}
	if n, err := d.CountActivations(t.Context(), store.ActivationQuery{Namespace: "guest"}); err != nil || n != 2 {
		t.Errorf("%d records, %v, want 2", n, err)
	}
}

// TestTwoOpenings writes through two engines on one file in turn.
func TestTwoOpenings(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	defer closeDB(t, a)
	defer closeDB(t, b)
	for i := range 20 {
		for _, d := range []*DB{a, b} {
			r := benchRecord(i)
			r.Name = fmt.Sprint("name", i)
			if _, err := d.Commit(t.Context(), []store.Op{{Kind: store.OpRecord, Record: r}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, d := range []*DB{a, b} {
		if n, err := d.CountActivations(t.Context(), store.ActivationQuery{Namespace: "guest", Name: "name7"}); err != nil || n != 2 {
			t.Errorf("%d records, %v, want 2", n, err)
		}
	}
}

func TestChangesArePruned(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	put := func(i int) int64 {
		doc := store.Doc{Key: store.Key{Namespace: "ns", Name: fmt.Sprint(i)}, Collection: store.Actions}
		doc, err := d.PutDoc(t.Context(), doc, 0)
		if err != nil {
			t.Fatal(err)
		}
		return doc.Revision
	}
	for i := range 20 {
		put(i)
	}
	run(t, d, "UPDATE changes SET at = ? WHERE seq <= 15", time.Now().Add(-48*time.Hour).UnixMilli())
	last := int64(0)
	for i := 20; last < pruneEvery; i++ {
		last = put(i)
	}
	var first, n int64
	if err := d.writer.QueryRow("SELECT min(seq), count(*) FROM changes").Scan(&first, &n); err != nil || first != 16 || n != pruneEvery-15 {
		t.Errorf("%d changes from %d, %v; want %d from 16", n, first, err, pruneEvery-15)
	}
	for _, after := range []int64{0, 14} {
		if got, err := d.Changes(t.Context(), after, 5); !errors.Is(err, store.ErrChangesLost) {
			t.Errorf("changes behind %d: %v, %v, want them to be lost", after, got, err)
		}
	}
	if got, err := d.Changes(t.Context(), 15, 5); err != nil || len(got) != 5 || got[0].Seq != 16 {
		t.Errorf("changes behind 15: %v, %v, want five from 16", got, err)
	}
	run(t, d, "DELETE FROM changes")
	if next := put(-1); next != last+1 {
		t.Errorf("revision %d after %d", next, last)
	}
}

// TestDurability holds the settings that survive power loss, which no test
// can show.
func TestDurability(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		var got string
		if err := d.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", pragma, got, err, want)
		}
	}
}

// TestPlans keeps lists on their indexes.
func TestPlans(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	const ties = "LAST TERM OF ORDER BY" // only those are sorted
	for _, tt := range []struct {
		q    store.ActivationQuery
		want string
	}{
		{store.ActivationQuery{Namespace: "ns"}, "activations_space (space=?)"},
		{store.ActivationQuery{Namespace: "ns", Since: 1}, "activations_space (space=? AND start>?)"},
		{store.ActivationQuery{Namespace: "ns", Name: "a", Since: 1, Upto: 2}, "activations_name (space=? AND name=? AND start>? AND start<?)"},
	} {
		page, args := activationPage(tt.q)
		text := plan(t, d, page, args...)
		if !strings.Contains(text, tt.want) || !strings.Contains(text, ties) {
			t.Errorf("%+v: plan %q, want %q and %q", tt.q, text, tt.want, ties)
		}
		tt.q.Skip = 7
		page, args = activationPage(tt.q)
		covered := "COVERING INDEX " + tt.want[:strings.IndexByte(tt.want, ' ')]
		if text := plan(t, d, page, args...); strings.Count(text, covered) < 2 || !strings.Contains(text, ties) {
			t.Errorf("%+v: plan %q, want %q and %q", tt.q, text, covered, ties)
		}
	}
	if text := plan(t, d, expire, "ns", 1, 1); !strings.Contains(text, "activations_space (space=? AND start<?)") {
		t.Errorf("expire: plan %q", text)
	}
	where, args := docFilter(store.DocQuery{Namespace: "ns", Collection: store.Actions})
	if text := plan(t, d, "SELECT body FROM docs WHERE "+where+" ORDER BY updated DESC, pkg, name LIMIT 30", args...); !strings.Contains(text, "docs_list (ns=?)") {
		t.Errorf("documents: plan %q", text)
	}
}

func plan(t *testing.T, d *DB, text string, args ...any) string {
	t.Helper()
	rows, err := d.reader.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	return strings.Join(steps, "; ")
}
