package postgres

import (
	"crypto/sha256"
	"strings"
	"testing"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

func TestCheck(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Shared(t).Schema(t)
	d := open(t, dsn)
	text := []byte("const main = () => ({})")
	if err := d.PutCode(ctx, whisk.Digest(sha256.Sum256(text)), text); err != nil {
		t.Fatal(err)
	}
	r, err := d.Check(ctx)
	if err != nil || len(r.Problems) != 0 || r.Schema < 1 || len(r.Counts) != len(store.Tables) {
		t.Fatalf("Check = %+v, %v", r, err)
	}
	pgtest.Exec(t, dsn, "UPDATE code_chunks SET text = 'const main = () => ([])'")
	if r, err := d.Check(ctx); err != nil || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "damaged") {
		t.Errorf("Check of a damaged blob = %+v, %v", r, err)
	}
}

func TestMakeSchema(t *testing.T) {
	ctx, base := t.Context(), pgtest.Shared(t).DSN(nil)
	inside, drop, err := MakeSchema(ctx, base, "for_a_while")
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, inside).PutNote(ctx, "n", []byte("v")); err != nil {
		t.Error(err)
	}
	if err := drop(ctx); err != nil {
		t.Error(err)
	}
	if _, _, err := MakeSchema(ctx, base, "for_a_while"); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := drop(ctx); err != nil {
		t.Error(err)
	}
}
