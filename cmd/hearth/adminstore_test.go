package main

import (
	"path/filepath"
	"strings"
	"testing"

	"hearth/store/sqlite"
)

func TestAdminStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	admin := func(args ...string) (string, error) {
		var out, errOut strings.Builder
		err := run(t.Context(), append([]string{"admin", "--data", dir, "store"}, args...), strings.NewReader(""), &out, &errOut)
		return out.String(), err
	}
	if _, err := admin("check"); err == nil || !strings.Contains(err.Error(), "there is no platform in") {
		t.Errorf("check of nothing: %v", err)
	}
	data, err := openData(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.DefaultConfig(data.file(storeFile)))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	for _, tt := range []struct{ verb, arg, want string }{ // beside the server, whose part we play
		{"check", "", "ok: no problem found"}, {"backup", copied, "ok: the database is in"}, {"migrate", "", "another hearth is running"}, {"backup", "", "want"},
		{"backup", copied, "is there already"},
	} {
		args := []string{tt.verb}
		if tt.arg != "" {
			args = append(args, tt.arg)
		}
		out, err := admin(args...)
		if err != nil {
			out += err.Error()
		}
		if !strings.Contains(out, tt.want) {
			t.Errorf("%v: %q, want %q", args, out, tt.want)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := data.close(); err != nil {
		t.Fatal(err)
	}
	if out, err := admin("migrate"); err != nil || out != "ok: the schema is up to date\n" {
		t.Errorf("migrate = %q, %v", out, err)
	}
}
