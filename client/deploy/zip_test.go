package deploy

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contents returns the names and contents of a zip.
func contents(t *testing.T, b []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		mode := ""
		if f.Mode()&0o100 != 0 {
			mode = "*"
		}
		out = append(out, f.Name+mode+"="+string(text))
	}
	return strings.Join(out, " ")
}

func TestZipFolder(t *testing.T) {
	dir := write(t, map[string]string{
		"m/manifest.yaml": "", "m/act/index.js": "i", "m/act/empty": "", "m/act/lib/a.js": "a", "m/act/lib/b.md": "b",
		"m/common/u.js": "u", "m/common/v.js": "v", "m/common/deep/w.js": "w", "m/libs/x/util.js": "x", "m/libs/y/util.js": "y", "up.js": "up",
	})
	if err := os.Chmod(filepath.Join(dir, "m/act/index.js"), 0o700); err != nil {
		t.Fatal(err)
	}
	const act = "empty= index.js*=i lib/a.js=a lib/b.md=b"
	for _, tt := range []struct {
		include [][]string
		exclude []string
		want    string
	}{
		{nil, nil, act},
		{nil, []string{"act/lib"}, "empty= index.js*=i"},
		{nil, []string{"act/lib/*"}, "empty= index.js*=i"},
		{nil, []string{"act/*/*.md", "act/empty"}, "index.js*=i lib/a.js=a"},
		{[][]string{{"common/u.js"}}, []string{"act/*"}, "common/u.js=u"},
		{[][]string{{"common/u.js", "z.js"}}, []string{"act/*"}, "z.js=u"},
		{[][]string{{"common/u.js", "to/"}}, []string{"act/*"}, "to/u.js=u"},
		{[][]string{{"common", "c"}}, []string{"act/*"}, "c/deep/w.js=w c/u.js=u c/v.js=v"},
		{[][]string{{"common/*.js", "c/*.js"}}, []string{"act/*"}, "c/u.js=u c/v.js=v"},
		{[][]string{{"common/*"}}, []string{"act/*"}, "common/deep/w.js=w common/u.js=u common/v.js=v"},
		{[][]string{{"libs/*/util.js", "l"}}, []string{"act/*"}, "l/x/util.js=x l/y/util.js=y"},
		{[][]string{{"../up.js", "up.js"}}, []string{"act/*"}, "up.js=up"},
	} {
		f, err := openFolder(filepath.Join(dir, "m", "manifest.yaml"), dir)
		if err != nil {
			t.Fatal(err)
		}
		b, left, err := f.zipFolder("act", tt.include, tt.exclude)
		if err != nil || len(left) > 0 {
			t.Errorf("%q %q: %v, left %q", tt.include, tt.exclude, err, left)
			continue
		}
		if got := contents(t, b); got != tt.want {
			t.Errorf("%q %q:\n got %s\nwant %s", tt.include, tt.exclude, got, tt.want)
		}
		again, _, err := f.zipFolder("act", tt.include, tt.exclude)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%q: the second zip differs, %v", tt.include, err)
		}
		if err := f.root.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFolderHoldsItsBounds(t *testing.T) {
	dir := write(t, map[string]string{"p/manifest.yaml": "", "p/act/a.js": "a", "p/many": "12345", "secret": "s", "p/empty/x": ""})
	for from, to := range map[string]string{"p/act/link.js": "../../secret", "p/act/in.js": "a.js", "p/act/gone.js": "nowhere", "p/up": "..", "p/act/loop": ".", "p/out": dir} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "p/empty/x")); err != nil {
		t.Fatal(err)
	}
	f, err := openFolder(filepath.Join(dir, "p", "manifest.yaml"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.root.Close() }()
	for _, bad := range []string{"../secret", filepath.Join(dir, "p/act/a.js"), "act/link.js", "up/secret", "out/secret", "act", "none", "act/../../secret"} {
		if b, err := f.read(bad, 100); err == nil {
			t.Errorf("read %q through %s", b, bad)
		}
	}
	if _, err := f.read("many", 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("a file over the bound gave %v", err)
	}
	b, left, err := f.zipFolder("act", nil, nil)
	if err != nil || contents(t, b) != "a.js=a in.js=a" {
		t.Errorf("zip %s, %v", contents(t, b), err)
	}
	if want := []string{"act/gone.js", "act/link.js", "act/loop"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
	for _, tt := range []struct {
		dir     string
		include [][]string
		exclude []string
		want    string
	}{
		{"empty", nil, nil, "has no files"},
		{"../p2", nil, nil, "outside the project's folder"},
		{"act", [][]string{{"../secret", "s"}}, nil, "outside the project's folder"},
		{"act", [][]string{{"many", "../../etc/x"}}, nil, "outside the archive"},
		{"act", [][]string{{"none"}}, nil, "none"},
		{"act", [][]string{{"[", "x"}}, nil, "syntax error"},
		{"act", nil, []string{"["}, "syntax error"},
		{"act", nil, []string{"../x"}, "outside the project's folder"},
	} {
		if _, _, err := f.zipFolder(tt.dir, tt.include, tt.exclude); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q %q: got %v, want %s", tt.dir, tt.include, tt.exclude, err, tt.want)
		}
	}
}

func TestFolderOfTheUser(t *testing.T) {
	dir := write(t, map[string]string{"p/m/manifest.yaml": "", "p/a.js": "a", "q/x": ""})
	for _, tt := range []struct {
		root string
		ok   bool
	}{{"", false}, {"p", true}, {"p/m", false}, {"q", false}} {
		root := tt.root
		if root != "" {
			root = filepath.Join(dir, root)
		}
		f, err := openFolder(filepath.Join(dir, "p/m/manifest.yaml"), root)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.read("../a.js", 9); (err == nil) != tt.ok {
			t.Errorf("with %q: %v", tt.root, err)
		}
		_ = f.root.Close()
	}
}
