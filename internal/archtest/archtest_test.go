package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestPackageMap reads the imports of every file that is no test's, whatever
// its build tags.
func TestPackageMap(t *testing.T) {
	root := moduleRoot(t)
	files := 0
	unknown := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch base := d.Name(); {
			case name == root:
			case strings.HasPrefix(base, "."), base == "node_modules", base == "testdata":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		pkg, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg = filepath.ToSlash(pkg)
		if _, ok := placeOf(pkg); ok {
			checkFile(t, pkg, name)
		} else if !unknown[pkg] {
			unknown[pkg] = true
			t.Error(objection(pkg, ""))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Errorf("read %d files below %s; is that the module?", files, root)
	}
}

func checkFile(t *testing.T, pkg, name string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if why := objection(pkg, imported); why != "" {
			t.Errorf("%s: %s", filepath.Base(name), why)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

func TestObjection(t *testing.T) {
	for _, tt := range []struct {
		pkg, imported string
		want          string // part of the objection; "" for none
	}{
		{"api", "hearth/whisk", ""},
		{"api", "net/http", ""},
		{"api", metrics, ""},
		{"api", "golang.org/x/sync/errgroup", ""},
		{"api", "hearth/auth", "siblings meet"},
		{"api", "github.com/spf13/cobra", "for cmd/hearth alone"},
		{"api", "example.com/x", "no package may"},
		{"api", "hearth/cmd/hearth", "the binary"},
		{"api", "hearth/internal/e2e", "for tests"},
		{"whisk", metrics, "nothing but the standard library"},
		{"whisk", "golang.org/x/sync/errgroup", "nothing but the standard library"},
		{"whisk", "hearth/api", "nothing of Hearth's"},
		{"router", "hearth/router/ring", ""},
		{"router/ring", "hearth/router", "nothing of Hearth's"},
		{"router/ring", "github.com/cespare/xxhash/v2", ""},
		{"router/ring", metrics, "nothing but the standard library and github.com/cespare/xxhash/v2"},
		{"invoker/journal", "hearth/invoker", "blind to its parent"},
		{"invoker", "hearth/invoker/sandbox/process", "an adapter is imported by"},
		{"store", "hearth/store/sqlite", "an adapter is imported by"},
		{"store/sqlite", "hearth/store", ""},
		{"store/sqlite", "modernc.org/sqlite", ""},
		{"store/sqlite", "modernc.org/sqlite/lib", ""},
		{"store/sqlite", "modernc.org/sqlitefake", "no package may"},
		{"store", "modernc.org/sqlite", "for store/sqlite alone"},
		{"cmd/hearth", "hearth/store/sqlite", ""},
		{"cmd/hearth", "modernc.org/sqlite", "for store/sqlite alone"},
		{"examples/wordfreq", "os", ""},
		{"util", "os", "not on the map"},
		{"store/sqlite/util", "os", "not on the map"},
	} {
		got := objection(tt.pkg, tt.imported)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s imports %s: objection %q, want %q", tt.pkg, tt.imported, got, tt.want)
		}
	}
}
