package sqlite

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func TestCheckAndBackup(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	d := open(t, dir)
	defer closeDB(t, d)
	text := []byte("const main = () => ({})")
	digest := whisk.Digest(sha256.Sum256(text))
	if err := d.PutCode(ctx, digest, text); err != nil {
		t.Fatal(err)
	}
	doc := store.Doc{Key: store.Key{Namespace: "ns", Name: "a"}, Collection: store.Actions, Code: digest, Body: []byte("body")}
	if _, err := d.PutDoc(ctx, doc, 0); err != nil {
		t.Fatal(err)
	}
	r, err := d.Check(ctx)
	if err != nil || len(r.Problems) != 0 || r.Schema < 5 || len(r.Counts) != len(store.Tables) || r.Counts[0] != (store.Count{Table: "docs", Rows: 1}) {
		t.Fatalf("Check = %+v, %v", r, err)
	}

	copied := filepath.Join(t.TempDir(), "copy")
	if err := d.Backup(ctx, copied); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(copied); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if err := d.Backup(ctx, copied); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a second backup to the same file: %v", err)
	}
	b, err := Open(ctx, DefaultConfig(copied))
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, b)
	if got, err := b.Doc(ctx, doc.Key); err != nil || string(got.Body) != "body" {
		t.Errorf("the copy has %+v, %v", got, err)
	}

	if _, err := d.writer.ExecContext(ctx, "UPDATE codes SET text = ?", []byte("const main = () => ([])")); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Check(ctx); err != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "damaged") {
		t.Errorf("Check of a damaged blob = %+v, %v", r, err)
	}
}
