package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/auth"
	"hearth/flow"
	"hearth/store"
	"hearth/store/sqlite"
	"hearth/whisk"
)

// kept is what a platform keeps under its master key.
type kept struct {
	t    *testing.T
	data *dataDir
	key  whisk.AuthKey
	row  whisk.QueueRow
}

const secretValue = "hunter2-hunter2"

// openStore opens the platform's store and its keys, as a server does.
func (k *kept) openStore(named string) (*sqlite.DB, *auth.Keyring, error) {
	db, err := sqlite.Open(k.t.Context(), sqlite.DefaultConfig(k.data.file(storeFile)))
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = db.Close() })
	keys, err := openKeys(k.t.Context(), named, k.data, db)
	return db, keys, err
}

func newKept(t *testing.T, encrypt bool) *kept {
	t.Helper()
	ctx := t.Context()
	k := &kept{t: t, data: newPlatform(t)}
	closeData(t, k.data)
	db, keys, err := k.openStore("")
	if err != nil {
		t.Fatal(err)
	}
	if k.key, err = auth.NewAccounts(keys, db, nil).Create(ctx, whisk.AccountRequest{Subject: "alice"}); err != nil {
		t.Fatal(err)
	}
	e := store.NewEntities(db, store.EntitiesConfig{Sealer: keys, Encrypt: encrypt})
	if _, err := e.PutPackage(ctx, &whisk.Package{Name: whisk.EntityName{Namespace: "alice", Name: "p"}, Parameters: secretParameters()}, 0); err != nil {
		t.Fatal(err)
	}
	k.row = whisk.QueueRow{ID: whisk.NewActivationID(), Namespace: "alice"}
	if k.row.Payload, err = keys.Seal([]byte(secretValue), k.row.ID[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Commit(ctx, []store.Op{{Kind: store.OpEnqueue, Row: &k.row}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return k
}

func secretParameters() whisk.Parameters {
	return whisk.Parameters{{Key: "password", Value: []byte(`"` + secretValue + `"`)}}
}

// check opens everything under the key in the file, and returns whether the
// parameter is stored sealed.
func (k *kept) check(when, named string) (sealed bool) {
	t, ctx := k.t, k.t.Context()
	t.Helper()
	db, keys, err := k.openStore(named)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer db.Close() //nolint:errcheck // only read
	list, err := auth.NewAccounts(keys, db, nil).Subject(ctx, "alice")
	if err != nil || list[0].Key != k.key {
		t.Errorf("%s: key %v, %v", when, list, err)
	}
	rows, err := db.QueueRows(ctx, 0, 10)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%s: rows %v, %v", when, rows, err)
	}
	if plain, err := keys.Open(rows[0].Payload, rows[0].ID[:]); err != nil || string(plain) != secretValue {
		t.Errorf("%s: row %q, %v", when, plain, err)
	}
	p, err := store.NewEntities(db, store.EntitiesConfig{Sealer: keys}).Package(ctx, whisk.EntityName{Namespace: "alice", Name: "p"})
	if err != nil || string(p.Parameters[0].Value) != string(secretParameters()[0].Value) {
		t.Fatalf("%s: package %+v, %v", when, p, err)
	}
	return p.Parameters[0].Sealed != nil
}

// inFiles reports whether the text stands in any file of the store.
func (k *kept) inFiles(text string) bool {
	k.t.Helper()
	names, err := filepath.Glob(k.data.file(storeFile) + "*")
	if err != nil || len(names) == 0 {
		k.t.Fatalf("files %v, %v", names, err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			k.t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

func (k *kept) rekey(args ...string) (string, string, int) {
	k.t.Helper()
	return adminWorld{k.t, append([]string{"--data", k.data.path}, args...)}.run("", "rekey")
}

func TestRekey(t *testing.T) {
	k := newKept(t, false)
	if k.check("before", "") || !k.inFiles(secretValue) {
		t.Error("the parameter was sealed")
	}
	before, err := os.ReadFile(k.data.file(masterFile))
	if err != nil {
		t.Fatal(err)
	}
	if out, errs, exit := k.rekey("--encrypt-parameters", "aes-256"); exit != 0 || out != "Sealed anew: 1 keys, 1 queued activations, 0 dead letters, 1 entities.\n" {
		t.Fatalf("rekey: %q, %q, %d", out, errs, exit)
	}
	if !k.check("rekeyed", "") || k.inFiles(secretValue) {
		t.Error("the parameter stands open somewhere")
	}
	after, err := os.ReadFile(k.data.file(masterFile))
	if err != nil || bytes.Equal(before, after) {
		t.Errorf("the key was not changed, %v", err)
	}
	old, err := filepath.Glob(k.data.file(masterFile + ".until-*"))
	if err != nil || len(old) != 1 {
		t.Fatalf("old keys: %v, %v", old, err)
	}
	if b, err := os.ReadFile(old[0]); err != nil || !bytes.Equal(b, before) {
		t.Errorf("the old key was not kept, %v", err)
	}
	if _, _, err := k.openStore(old[0]); err == nil {
		t.Error("the old key still opens the store")
	}

	// From the data folder's key to one in a file, and on to another.
	files := t.TempDir()
	file := func(digit string) string {
		name := filepath.Join(files, digit)
		if err := os.WriteFile(name, []byte(strings.Repeat(digit, 64)), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if out, _, exit := k.rekey("--new-master-key-file", file("a")); exit != 0 || !strings.Contains(out, "The old key is in ") || !k.check("to a file", file("a")) {
		t.Errorf("to a file: %q, %d", out, exit)
	}
	if _, _, err := k.openStore(""); err == nil {
		t.Error("the store opens without the file")
	}
	for _, tt := range []struct {
		args []string
		exit int
		want string
	}{
		{[]string{"--master-key-file", file("a")}, 2, "--new-master-key-file"},
		{[]string{"--admin-url", "http://x"}, 2, "not by --admin-url"},
		{[]string{"--encrypt-parameters", "rot13"}, 2, "want off or aes-256"},
		{[]string{"--master-key-file", file("c"), "--new-master-key-file", file("b")}, 1, "another master key"},
		{[]string{"--master-key-file", file("a"), "--new-master-key-file", file("b"), "--encrypt-parameters", "off"}, 0, "Start with --master-key-file " + file("b")},
		{[]string{"--master-key-file", file("a"), "--new-master-key-file", file("b")}, 0, "under that master key already"},
	} {
		out, errs, exit := k.rekey(tt.args...)
		if exit != tt.exit || !strings.Contains(out+errs, tt.want) {
			t.Errorf("rekey %q: %q, %q, %d, want %q", tt.args, out, errs, exit, tt.want)
		}
	}
	if k.check("between files", file("b")) {
		t.Error("the parameter was not opened")
	}

	held, err := openData(k.data.path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeData(t, held)
	if _, errs, exit := k.rekey("--new-master-key-file", file("c")); exit != 1 || !strings.Contains(errs, "another hearth is running") {
		t.Errorf("beside a server: %q, %d", errs, exit)
	}
}

// TestRekeyInterrupted stops at every point and starts a server then.
func TestRekeyInterrupted(t *testing.T) {
	next := func(k *kept) *auth.Keyring {
		master, err := auth.LoadOrCreateMasterKey(k.data.file(nextMasterFile))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := auth.NewKeyring(master)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	reseal := func(k *kept) {
		to := next(k)
		db, from, err := k.openStore("")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close() //nolint:errcheck // what matters is committed
		r := rekeying{}
		if err := db.Rewrite(t.Context(), r.rewriter(from, to)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		stop func(*kept)
		said string
	}{
		{"with the next key made", func(k *kept) { next(k) }, "Sealed anew"},
		{"with all sealed anew", reseal, "Finished a change"},
		{"with the old key set aside", func(k *kept) {
			reseal(k)
			if _, err := setAside(k.data); err != nil {
				t.Fatal(err)
			}
		}, "Finished a change"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKept(t, true)
			tt.stop(k)
			if !k.check("then a server starts", "") || !k.check("and again", "") {
				t.Error("the parameter is open")
			}
			k = newKept(t, true)
			tt.stop(k)
			if out, errs, exit := k.rekey(); exit != 0 || !strings.HasPrefix(out, tt.said) {
				t.Errorf("rekey again: %q, %q, %d", out, errs, exit)
			}
			if !k.check("then", "") {
				t.Error("the parameter is open")
			}
			if _, err := os.Stat(k.data.file(nextMasterFile)); err == nil {
				t.Error("the next key is still there")
			}
		})
	}
}

// Nothing is changed if one of the rows cannot be read.
func TestRekeyRefuses(t *testing.T) {
	k := newKept(t, true)
	db, _, err := k.openStore("")
	if err != nil {
		t.Fatal(err)
	}
	bad := whisk.QueueRow{ID: whisk.NewActivationID(), Namespace: "alice", Payload: []byte("damaged")}
	if _, err := db.Commit(t.Context(), []store.Op{{Kind: store.OpEnqueue, Row: &bad}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, errs, exit := k.rekey(); exit != 1 || !strings.Contains(errs, bad.ID.String()) {
		t.Errorf("rekey: %q, %d", errs, exit)
	}
	if _, err := flow.Reseal(bad, sealers(t, k), sealers(t, k)); err == nil {
		t.Error("a damaged row was sealed anew")
	}
}

func sealers(t *testing.T, k *kept) *auth.Keyring {
	t.Helper()
	db, keys, err := k.openStore("")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return keys
}
