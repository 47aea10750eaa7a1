package auth

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadOrCreateMasterKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	keys := make([]MasterKey, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadOrCreateMasterKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == (MasterKey{}) {
			t.Fatal("not one key for all")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestBadMasterKeyFiles(t *testing.T) {
	good := strings.Repeat("0a", 32)
	for _, tc := range []struct {
		name, text string
		mode       os.FileMode
		ok         bool
	}{
		{"good", good, 0o600, true},
		{"read only", good + "\n", 0o400, true},
		{"white space", "\t" + good + "\r\n", 0o600, true},
		{"empty", "", 0o600, false},
		{"short", good[2:], 0o600, false},
		{"no digits", strings.Repeat("zz", 32), 0o600, false},
		{"zero", strings.Repeat("0", 64), 0o600, false},
		{"huge", strings.Repeat(" ", 1<<20) + good, 0o600, false},
		{"others may read", good, 0o644, false},
		{"the group may write", good, 0o620, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			_, err := LoadOrCreateMasterKey(path)
			if (err == nil) != tc.ok {
				t.Fatalf("err = %v", err)
			}
			if err != nil && tc.text != "" && strings.Contains(err.Error(), tc.text[:min(8, len(tc.text))]) {
				t.Errorf("the error quotes the key: %v", err)
			}
		})
	}
	if _, err := LoadOrCreateMasterKey(t.TempDir()); err == nil {
		t.Error("a directory: no error")
	}
	if _, err := LoadOrCreateMasterKey(filepath.Join(t.TempDir(), "a", "b")); err == nil {
		t.Error("no directory: no error")
	}
}

func TestMasterKeyIsHidden(t *testing.T) {
	k := MasterKey{0xab, 0xcd}
	b, err := json.Marshal(struct{ K MasterKey }{k})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %x %q", k, k, k, k), string(b)} {
		if strings.Contains(s, "171") || strings.Contains(s, "abcd") {
			t.Errorf("%q shows the key", s)
		}
	}
}

func TestKeyringIsHidden(t *testing.T) {
	r := testKeys(1)
	for _, s := range []string{fmt.Sprint(r), fmt.Sprintf("%+v %#v %x", r, r, r), fmt.Sprintf("%+v", Config{Keys: r})} {
		if strings.Contains(s, fmt.Sprint(r.keyBox.key[:4])[1:8]) || strings.Contains(s, hex.EncodeToString(r.keyBox.key[:4])) {
			t.Errorf("%q shows the keys", s)
		}
	}
}
