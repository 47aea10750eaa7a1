package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"hearth/store"
	"hearth/whisk"
)

// holdings are what a database holds, by what is asked for it.
type holdings struct {
	path    string
	docs    []store.Doc
	records []*whisk.Activation
	codes   [][]byte
	user    store.Credential
}

// fillDB fills a database and closes it.
func fillDB(t *testing.T) *holdings {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	h := &holdings{path: filepath.Join(dir, "hearth.db")}
	d := open(t, dir)
	defer closeDB(t, d)
	var ops []store.Op
	for i := range 40 {
		code := bytes.Repeat([]byte(fmt.Sprintf("code %d;", i)), 60)
		h.codes = append(h.codes, code)
		if err := d.PutCode(ctx, sha256.Sum256(code), code); err != nil {
			t.Fatal(err)
		}
		doc := store.Doc{Key: store.Key{Namespace: "guest", Name: fmt.Sprint("entity", i)}, Collection: store.Actions, Code: sha256.Sum256(code)}
		doc.Body = []byte(fmt.Sprintf(`{"body of":%d,"filled with":%q}`, i, strings.Repeat("x", 80)))
		doc, err := d.PutDoc(ctx, doc, 0)
		if err != nil {
			t.Fatal(err)
		}
		h.docs = append(h.docs, doc)
	}
	for i := range 150 {
		a := benchRecord(i)
		a.Response.Result = []byte(fmt.Sprintf(`{"result of":%d}`, i))
		h.records = append(h.records, a)
		ops = append(ops, store.Op{Kind: store.OpRecord, Record: a})
	}
	if _, err := d.Commit(ctx, ops); err != nil {
		t.Fatal(err)
	}
	h.user = store.Credential{UUID: "uuid-of-ann", Subject: "subject-ann", Namespace: "space-of-ann", MAC: []byte("mac-of-ann")}
	err := d.ChangeSubject(ctx, h.user.Subject, func([]store.Credential) ([]store.Credential, []string, error) {
		return []store.Credential{h.user}, nil, nil
	})
	if err == nil {
		n := int64(4711)
		err = d.ChangeLimits(ctx, "guest", func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
			return whisk.NamespaceLimits{FiresPerMinute: &n}, nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// wrong asks for everything and returns what was answered that was never
// stored.
func (h *holdings) wrong(ctx context.Context, d *DB) (wrong []string) {
	for _, want := range h.docs {
		if got, err := d.Doc(ctx, want.Key); err == nil && !reflect.DeepEqual(got, want) {
			wrong = append(wrong, "document "+want.Key.String())
		}
	}
	for _, want := range h.records {
		if got, err := d.Activation(ctx, want.Namespace, want.ID); err == nil && !reflect.DeepEqual(got, want) {
			wrong = append(wrong, "record "+want.ID.String())
		}
	}
	for _, want := range h.codes {
		if got, err := d.Code(ctx, sha256.Sum256(want)); err == nil && !bytes.Equal(got, want) {
			wrong = append(wrong, "code")
		}
	}
	if got, err := d.Credential(ctx, h.user.UUID); err == nil && !reflect.DeepEqual(got, h.user) {
		wrong = append(wrong, "credential")
	}
	if got, err := d.NamespaceLimits(ctx, "guest"); err == nil && got.FiresPerMinute != nil && *got.FiresPerMinute != 4711 {
		wrong = append(wrong, "limits")
	}
	return wrong
}

// TestFlippedByte changes a byte of the file, again and again: nothing is ever
// answered that was not stored. It may not be found any more, where the byte is
// one of an index.
func TestFlippedByte(t *testing.T) {
	h := fillDB(t)
	good, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(11, 12))
	rounds, refused, bad := 40, 0, 0
	for range rounds {
		file := bytes.Clone(good)
		at, by := rng.IntN(len(file)), byte(1+rng.IntN(255))
		file[at] ^= by
		path := filepath.Join(t.TempDir(), "hearth.db")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := DefaultConfig(path)
		cfg.Metrics = metrics.NewSet()
		d, err := Open(t.Context(), cfg)
		if err != nil {
			refused++
			continue
		}
		if wrong := h.wrong(t.Context(), d); len(wrong) > 0 {
			t.Errorf("byte %d changed by %#x: wrong answers: %v", at, by, wrong)
		}
		if d.damage.found.Get() > 0 {
			bad++
		}
		_ = d.Close() // it may find damage, too
	}
	t.Logf("of %d files with a byte changed %d were refused, damage was found in %d", rounds, refused, bad)
}

// TestDamagedRows changes a byte of certain rows: they are refused, reported
// and counted, and the others are none the worse.
func TestDamagedRows(t *testing.T) {
	h := fillDB(t)
	good, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		read       func(context.Context, *DB) error
	}{
		{"document", `{"body of":7,`, func(ctx context.Context, d *DB) error { _, err := d.Doc(ctx, h.docs[7].Key); return err }},
		{"result", `{"result of":77}`, func(ctx context.Context, d *DB) error {
			_, err := d.Activation(ctx, "guest", h.records[77].ID)
			return err
		}},
		{"head of a record", h.records[77].ID.String(), func(ctx context.Context, d *DB) error {
			_, err := d.Activation(ctx, "guest", h.records[77].ID)
			return err
		}},
		{"code", "code 7;code 7;", func(ctx context.Context, d *DB) error { _, err := d.Code(ctx, sha256.Sum256(h.codes[7])); return err }},
		{"credential", "space-of-annmac", func(ctx context.Context, d *DB) error { _, err := d.Credential(ctx, h.user.UUID); return err }},
		{"limits", `{"firesPerMinute":4711}`, func(ctx context.Context, d *DB) error { _, err := d.NamespaceLimits(ctx, "guest"); return err }},
	} {
		changed := []byte(tt.text)
		changed[len(changed)/2] ^= 1
		file := bytes.ReplaceAll(good, []byte(tt.text), changed) // there may be an old copy, which nobody reads
		if bytes.Equal(file, good) {
			t.Fatalf("%s: %q is not in the file", tt.name, tt.text)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "hearth.db"), file, 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		cfg := DefaultConfig(filepath.Join(dir, "hearth.db"))
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		d, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.read(t.Context(), d); !errors.Is(err, whisk.ErrCorrupted) {
			t.Errorf("%s: read: %v, want %v", tt.name, err, whisk.ErrCorrupted)
		}
		if n := d.damage.found.Get(); n != 1 || !strings.Contains(log.String(), "damaged") {
			t.Errorf("%s: %d times counted, log %q; want once, and a line", tt.name, n, log.String())
		}
		if wrong := h.wrong(t.Context(), d); len(wrong) > 0 {
			t.Errorf("%s: wrong answers: %v", tt.name, wrong)
		}
		h.checkLists(t, d, tt.name)
		closeDB(t, d)
	}
}

// checkLists finds lists without what is damaged.
func (h *holdings) checkLists(t *testing.T, d *DB, what string) {
	t.Helper()
	records, docs := len(h.records), len(h.docs)
	switch what {
	case "result", "head of a record":
		records--
	case "document":
		docs--
	}
	if got, err := d.Activations(t.Context(), store.ActivationQuery{Namespace: "guest"}); err != nil || len(got) != records {
		t.Errorf("%s: %d records listed, %v, want %d", what, len(got), err, records)
	}
	if got, err := d.Docs(t.Context(), store.DocQuery{Namespace: "guest"}); err != nil || len(got) != docs {
		t.Errorf("%s: %d documents listed, %v, want %d", what, len(got), err, docs)
	}
}

// TestDamageIsMended writes anew, or deletes, what is damaged.
func TestDamageIsMended(t *testing.T) {
	h := fillDB(t)
	d := open(t, filepath.Dir(h.path))
	defer closeDB(t, d)
	ctx := t.Context()
	for _, table := range []string{"docs", "credentials", "namespace_limits"} {
		run(t, d, "UPDATE "+table+" SET sum = sum + 1")
	}
	es := store.NewEntities(d, store.EntitiesConfig{})
	name := whisk.ActionName(h.docs[7].Key)
	if _, err := es.Action(ctx, name); !errors.Is(err, whisk.ErrCorrupted) {
		t.Errorf("read a damaged action: %v", err)
	}
	if err := es.DeleteAction(ctx, name, 0); err != nil {
		t.Errorf("delete a damaged action: %v", err)
	}
	if _, err := es.Action(ctx, name); !errors.Is(err, whisk.ErrNotFound) {
		t.Errorf("read it again: %v", err)
	}
	err := d.ChangeSubject(ctx, h.user.Subject, func(have []store.Credential) ([]store.Credential, []string, error) {
		return append(have, h.user), nil, nil
	})
	if got, readErr := d.Credential(ctx, h.user.UUID); err != nil || readErr != nil || !reflect.DeepEqual(got, h.user) {
		t.Errorf("a damaged credential written anew: %v; %+v, %v", err, got, readErr)
	}
	err = d.ChangeLimits(ctx, "guest", func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) { return l, nil })
	if l, readErr := d.NamespaceLimits(ctx, "guest"); err != nil || readErr != nil || !l.IsZero() {
		t.Errorf("damaged limits set anew: %v; %+v, %v", err, l, readErr)
	}
}
