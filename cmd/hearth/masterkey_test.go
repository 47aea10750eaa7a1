package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/auth"
)

// TestMasterKeyFile: the key in the data folder is made where it is missing, a
// named one never.
func TestMasterKeyFile(t *testing.T) {
	d := &dataDir{path: t.TempDir()}
	made, err := loadMaster("", d)
	if err != nil || made == (auth.MasterKey{}) {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "key")
	if _, err := loadMaster(named, d); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := os.Stat(named); err == nil {
		t.Error("the named file was made")
	}
	if err := os.WriteFile(named, []byte(strings.Repeat("0a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := loadMaster(named, d); err != nil || got == made || got[0] != 0x0a {
		t.Errorf("the named key was not taken: %v", err)
	}
}
