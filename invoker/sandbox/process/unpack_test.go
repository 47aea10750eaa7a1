package process

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entry is one entry of an archive under test.
type entry struct {
	name string
	mode fs.FileMode
	text string // of a file, or the target of a link
	kind byte   // tar's type, 0: as mode says
}

func makeZip(t testing.TB, entries []entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.name, "/") {
			if _, err := w.Write([]byte(e.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makeTar(t testing.TB, entries []entry) []byte {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: int64(e.mode.Perm()), Typeflag: e.kind}
		switch {
		case e.kind == tar.TypeLink:
			h.Linkname = e.text
		case e.kind != 0:
		case e.mode&fs.ModeSymlink != 0:
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.text
		case e.mode.IsDir():
			h.Typeflag = tar.TypeDir
		default:
			h.Typeflag, h.Size = tar.TypeReg, int64(len(e.text))
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte(e.text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), g.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func goOn() error { return nil }

// unpackTo unpacks an archive into a new folder.
func unpackTo(t testing.TB, dir string, archive []byte, change func(*unpacker)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	u := newUnpacker(root, -1, goOn)
	if change != nil {
		change(u)
	}
	if isGzip(archive) {
		return u.tarGz(bytes.NewReader(archive))
	}
	return u.zip(bytes.NewReader(archive), int64(len(archive)))
}

const link0 = fs.ModeSymlink | 0o777

func TestUnpack(t *testing.T) {
	tests := []struct {
		name    string
		entries []entry
		want    string // files found, or part of the error
		bad     bool
		only    string // "zip" or "tar"
	}{
		{"files", []entry{{"a", 0o644, "x", 0}, {"b/c/d", 0o755, "y", 0}}, "a:644:x b/ b/c/ b/c/d:755:y", false, ""},
		{"folders", []entry{{"b/", fs.ModeDir | 0o700, "", 0}, {"b/c", 0o600, "", 0}}, "b/ b/c:600:", false, ""},
		{"modes", []entry{{"a", 0o777 | fs.ModeSetuid, "", 0}, {"b", 0o022, "", 0}}, "a:755: b:600:", false, ""},
		{"dots", []entry{{"./a/./b", 0o644, "", 0}}, "a/ a/b:644:", false, ""},
		{"written twice", []entry{{"a", 0o644, "long", 0}, {"a", 0o644, "x", 0}}, "a:644:x", false, ""},
		{"link", []entry{{"l", link0, "d/f", 0}, {"d/f", 0o644, "x", 0}}, "d/ d/f:644:x l→d/f", false, ""},
		{"link up", []entry{{"d/l", link0, "../f", 0}, {"f", 0o644, "x", 0}}, "d/ d/l→../f f:644:x", false, ""},
		{"link to nothing", []entry{{"l", link0, "none", 0}}, "l→none", false, ""},
		{"absolute", []entry{{"/etc/x", 0o644, "", 0}}, "not allowed", true, ""},
		{"dot dot", []entry{{"a/../../x", 0o644, "", 0}}, "leads out", true, ""},
		{"dot dot inside", []entry{{"a/../x", 0o644, "", 0}}, "leads out", true, ""},
		{"dot dot folder", []entry{{"../x/", fs.ModeDir | 0o755, "", 0}}, "leads out", true, ""},
		{"long name", []entry{{strings.Repeat("a/", 600) + "a", 0o644, "", 0}}, "not allowed", true, ""},
		{"long part", []entry{{strings.Repeat("a", 300), 0o644, "", 0}}, "too long", true, ""},
		{"absolute link", []entry{{"l", link0, "/etc/passwd", 0}}, "leads out", true, ""},
		{"link out", []entry{{"d/l", link0, "../../x", 0}}, "leads out", true, ""},
		{"links that together lead out", []entry{{"a/b/c/d", link0, "../../..", 0}, {"x", link0, "a/b/c/d/../..", 0}}, "leads out", true, ""},
		{"link loop", []entry{{"a", link0, "b", 0}, {"b", link0, "a", 0}}, "nowhere", true, ""},
		{"file through a link", []entry{{"l", link0, "d", 0}, {"d/f", 0o644, "", 0}, {"l/g", 0o644, "", 0}}, "twice", true, ""},
		{"file over a folder", []entry{{"a/b", 0o644, "", 0}, {"a", 0o644, "", 0}}, "twice", true, ""},
		{"folder over a file", []entry{{"a", 0o644, "", 0}, {"a/b", 0o644, "", 0}}, "twice", true, ""},
		{"device", []entry{{"d", fs.ModeDevice | 0o644, "", tar.TypeChar}}, "neither", true, ""},
		{"pipe", []entry{{"d", fs.ModeNamedPipe | 0o644, "", tar.TypeFifo}}, "neither", true, ""},
		{"hard link", []entry{{"a", 0o644, "x", 0}, {"h", 0o644, "a", tar.TypeLink}}, "neither", true, "tar"},
		{"too many", []entry{{"a", 0o644, "", 0}, {"b/c/d/e/f/g", 0o644, "", 0}, {"h", 0o644, "", 0}}, "more than 20000 entries", true, ""},
	}
	for _, tt := range tests {
		for _, form := range []string{"zip", "tar"} {
			if tt.only != "" && tt.only != form {
				continue
			}
			t.Run(tt.name+" "+form, func(t *testing.T) {
				archive := makeTar
				if form == "zip" {
					archive = makeZip
				}
				above := t.TempDir()
				dir := filepath.Join(above, "in")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				err := unpackTo(t, dir, archive(t, tt.entries), func(u *unpacker) { u.entries = 6 })
				var ce *codeError
				if tt.bad {
					if !errors.As(err, &ce) || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("error %v, want %q", err, tt.want)
					}
				} else if got := listing(t, dir); err != nil || got != tt.want {
					t.Errorf("got %s, %v, want %s", got, err, tt.want)
				}
				if around, _ := os.ReadDir(above); len(around) != 1 {
					t.Errorf("something was written outside: %v", around)
				}
			})
		}
	}
}

// listing describes what is below dir.
func listing(t testing.TB, dir string) string {
	var out []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		switch {
		case e.IsDir():
			rel += "/"
		case e.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			rel += "→" + to
		default:
			fi, _ := e.Info()
			text, _ := os.ReadFile(p)
			rel += fmt.Sprintf(":%o:%s", fi.Mode().Perm(), text)
		}
		out = append(out, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestUnpackTooBig(t *testing.T) {
	zeros := strings.Repeat("\x00", 1<<20)
	entries := []entry{{"a", 0o644, zeros, 0}, {"b", 0o644, zeros, 0}}
	for name, archive := range map[string][]byte{"zip": makeZip(t, entries), "tar": makeTar(t, entries)} {
		err := unpackTo(t, t.TempDir(), archive, func(u *unpacker) { u.left = 1<<20 + 1<<19 })
		if err == nil || !strings.Contains(err.Error(), "holds more than") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := unpackTo(t, t.TempDir(), archive, func(u *unpacker) { u.left = 2 << 20 }); err != nil {
			t.Errorf("%s of just the size allowed: %v", name, err)
		}
	}
}

func TestUnpackStops(t *testing.T) {
	archive := makeZip(t, []entry{{"a", 0o644, "x", 0}})
	err := unpackTo(t, t.TempDir(), archive, func(u *unpacker) { u.goOn = func() error { return os.ErrDeadlineExceeded } })
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	entries := []entry{{"a/b", 0o755, "text", 0}, {"a/l", link0, "b", 0}, {"c/", fs.ModeDir | 0o755, "", 0}}
	f.Add(makeZip(f, entries))
	f.Add(makeTar(f, entries))
	f.Add(makeZip(f, []entry{{"../x", 0o644, "", 0}, {"l", link0, "../..", 0}}))
	f.Fuzz(func(t *testing.T, archive []byte) {
		above := t.TempDir()
		dir := filepath.Join(above, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		err := unpackTo(t, dir, archive, func(u *unpacker) { u.left = 1 << 20 })
		if err == nil {
			root, _ := os.OpenRoot(dir)
			defer root.Close()
			walk := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				rel, _ := filepath.Rel(dir, p)
				if _, err := root.Stat(rel); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s leads out: %w", rel, err)
				}
				if fi, _ := e.Info(); fi.Mode()&(fs.ModeType&^fs.ModeDir&^fs.ModeSymlink|fs.ModeSetuid|fs.ModeSetgid) != 0 {
					return fmt.Errorf("%s has mode %v", rel, fi.Mode())
				}
				return nil
			})
			if walk != nil {
				t.Fatal(walk)
			}
		}
		if around, _ := os.ReadDir(above); len(around) != 1 {
			t.Fatalf("written outside: %v", around)
		}
	})
}
