package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/auth"
	"hearth/store"
)

// TestMasterKeyFile: the key in the data folder is made where it is missing, a
// named one never.
func TestMasterKeyFile(t *testing.T) {
	d := &dataDir{path: t.TempDir()}
	ctx, st := t.Context(), store.NewNone()
	made, err := loadMaster(ctx, "", d, st)
	if err != nil || made == (auth.MasterKey{}) {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "key")
	if _, err := loadMaster(ctx, named, d, st); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := os.Stat(named); err == nil {
		t.Error("the named file was made")
	}
	if err := os.WriteFile(named, []byte(strings.Repeat("0a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := loadMaster(ctx, named, d, st); err != nil || got == made || got[0] != 0x0a {
		t.Errorf("the named key was not taken: %v", err)
	}
	keys, err := openKeys(ctx, "", d, st)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.NewAccounts(keys, st, nil).Ensure(ctx, "guest", "guest", auth.NewKey()); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(ctx, named, d, st); !errors.Is(err, auth.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	if err := os.Remove(d.file(masterFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(ctx, "", d, st); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a lost key: %v", err)
	}
}
