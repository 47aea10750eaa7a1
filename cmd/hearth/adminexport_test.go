package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/store/postgres"
	"hearth/store/sqlite"
	"hearth/store/storetest"
)

// mover exports and imports by commands.
type mover struct{ *testing.T }

func (m mover) admin(args ...string) (string, error) {
	var out, errOut strings.Builder
	err := run(m.Context(), append([]string{"admin", "store"}, args...), strings.NewReader(""), &out, &errOut)
	return out.String() + errOut.String(), err
}

func (m mover) must(args ...string) {
	m.Helper()
	if out, err := m.admin(args...); err != nil || !strings.Contains(out, "ok: all of") {
		m.Fatalf("%v: %q, %v", args, out, err)
	}
}

// contents lists what the SQLite database of a folder holds.
func (m mover) contents(dir string) []string {
	m.Helper()
	db, err := sqlite.Open(m.Context(), sqlite.DefaultConfig(filepath.Join(dir, storeFile)))
	if err != nil {
		m.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	return storetest.Contents(m.T, db)
}

// newFilled returns a folder with a database that has something of everything.
func (m mover) newFilled() (dir string) {
	m.Helper()
	dir = filepath.Join(m.TempDir(), "data")
	data, err := openData(dir)
	if err != nil {
		m.Fatal(err)
	}
	db, err := sqlite.Open(m.Context(), sqlite.DefaultConfig(data.file(storeFile)))
	if err != nil {
		m.Fatal(err)
	}
	storetest.Fill(m.T, db)
	if err := errors.Join(db.Close(), data.close()); err != nil {
		m.Fatal(err)
	}
	return dir
}

func TestAdminExport(t *testing.T) {
	m := mover{t}
	dir, file, fresh := m.newFilled(), filepath.Join(t.TempDir(), "all"), filepath.Join(t.TempDir(), "new")
	m.must("--data", dir, "export", file)
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v, want mode 0600", st, err)
	}
	damaged, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged[len(damaged)/2] ^= 1
	bad := filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(bad, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--data", dir, "export", file}, "is there already"},
		{[]string{"--data", dir, "export"}, `want "hearth admin store export FILE"`},
		{[]string{"--data", fresh, "import", bad}, "damaged"},
		{[]string{"--data", fresh, "import", fresh}, "no such file"},
		{[]string{"--data", dir, "import", file}, "not empty"},
		{[]string{"--data", fresh, "--admin-url", "http://127.0.0.1:1", "import", file}, "works on the database alone"},
	} {
		if out, err := m.admin(tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %q, %v, want %q", tt.args, out, err, tt.want)
		}
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Errorf("a folder was made for what is refused")
	}
	m.must("--data", fresh, "import", file)
	storetest.SameContents(t, m.contents(fresh), m.contents(dir))
}

// TestAdminExportDamaged exports what has become damaged.
func TestAdminExportDamaged(t *testing.T) {
	m := mover{t}
	dir, file := m.newFilled(), filepath.Join(t.TempDir(), "all")
	name := filepath.Join(dir, storeFile)
	db, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.ReplaceAll(db, []byte(`{"start":77}`), []byte(`{"start":78}`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := m.admin("--data", dir, "export", file); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("export of what is damaged: %q, %v", out, err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Errorf("a part of an export is left")
	}
	out, err := m.admin("--data", dir, "export", file, "--skip-damaged")
	if err != nil || !strings.Contains(out, "left out: ") {
		t.Errorf("export without what is damaged: %q, %v", out, err)
	}
	fresh := filepath.Join(t.TempDir(), "new")
	m.must("--data", fresh, "import", file)
	if got, want := len(m.contents(fresh)), 200; got < want {
		t.Errorf("%d items are left, want about %d", got, want)
	}
}

// TestAdminMove takes everything from SQLite to PostgreSQL and back.
func TestAdminMove(t *testing.T) {
	dsn := pgtest.Start(t, pgtest.Config{}).DSN(nil)
	t.Setenv(dsnVariable, dsn)
	m := mover{t}
	dir, out, back := m.newFilled(), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "back")
	m.must("--data", dir, "export", out)
	m.must("--store", "postgres", "import", out)
	db, err := postgres.Open(t.Context(), postgres.DefaultConfig(dsn))
	if err != nil {
		t.Fatal(err)
	}
	want := m.contents(dir)
	storetest.SameContents(t, storetest.Contents(t, db), want)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.admin("--store", "postgres", "import", out); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("import once more: %v", err)
	}
	m.must("--store", "postgres", "export", back)
	fresh := filepath.Join(t.TempDir(), "new")
	m.must("--data", fresh, "import", back)
	storetest.SameContents(t, m.contents(fresh), want)
}
