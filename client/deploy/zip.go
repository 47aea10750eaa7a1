package deploy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"hearth/client"
)

// maxFiles bounds the files of one folder's archive; node_modules has many.
const maxFiles = 50_000

// archive is a zip that is being put together: file names in root by names in
// the zip.
type archive struct {
	from  *folder
	files map[string]string
	left  []string // what was left out, for a warning
}

// zipFolder returns the zip of the folder dir, with what include adds and
// without what exclude takes away. Names in both are relative to the manifest.
// Equal folders give equal bytes.
func (f *folder) zipFolder(dir string, include [][]string, exclude []string) (b []byte, left []string, err error) {
	in, err := f.within(dir)
	if err != nil {
		return nil, nil, err
	}
	a := &archive{from: f, files: map[string]string{}}
	if err := a.addTree(in, "."); err != nil {
		return nil, nil, err
	}
	if err := a.exclude(exclude); err != nil {
		return nil, nil, err
	}
	for _, pair := range include {
		if err := a.include(pair); err != nil {
			return nil, nil, err
		}
	}
	if len(a.files) == 0 {
		return nil, nil, fmt.Errorf("the folder %q has no files", dir)
	}
	b, err = a.write()
	return b, a.left, err
}

// addTree adds all files below in, under the name to.
func (a *archive) addTree(in, to string) error {
	return fs.WalkDir(a.from.root.FS(), in, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, in), "/")
		if in == "." {
			rel = name
		}
		return a.add(name, path.Join(to, rel))
	})
}

// add adds one file. What is none, or a link to none inside the project, is
// left out.
func (a *archive) add(in, to string) error {
	if st, err := a.from.root.Stat(in); err != nil || !st.Mode().IsRegular() {
		a.left = append(a.left, in)
		return nil
	}
	to = path.Clean(to)
	if to == ".." || strings.HasPrefix(to, "../") || strings.HasPrefix(to, "/") {
		return fmt.Errorf("%q would lie outside the archive", to)
	}
	a.files[to] = in
	if len(a.files) > maxFiles {
		return fmt.Errorf("there are more than %d files", maxFiles)
	}
	return nil
}

// exclude removes the files that match a pattern, or are below what matches.
func (a *archive) exclude(patterns []string) error {
	for _, p := range patterns {
		in, err := a.from.within(p)
		if err != nil {
			return err
		}
		if _, err := path.Match(in, ""); err != nil {
			return fmt.Errorf("exclude %q: %w", p, err)
		}
		maps.DeleteFunc(a.files, func(_, name string) bool {
			for ; name != "."; name = path.Dir(name) {
				if ok, _ := path.Match(in, name); ok {
					return true
				}
			}
			return false
		})
	}
	return nil
}

// include adds what [source] or [source, destination] says. A pattern's matches
// keep their path from its first wildcard on.
func (a *archive) include(pair []string) error {
	source, to := pair[0], pair[len(pair)-1]
	in, err := a.from.within(source)
	if err != nil {
		return err
	}
	if !hasMeta(source) {
		if st, err := a.from.root.Stat(in); err != nil {
			return fmt.Errorf("include %q: %w", source, err)
		} else if st.IsDir() {
			return a.addTree(in, to)
		}
		if strings.HasSuffix(to, "/") {
			to += path.Base(in)
		}
		return a.add(in, to)
	}
	matches, err := fs.Glob(a.from.root.FS(), in)
	if err != nil {
		return fmt.Errorf("include %q: %w", source, err)
	}
	to, _, wild := strings.Cut(to, "*")
	if wild {
		to = path.Dir(to + "x")
	} else if path.Ext(to) != "" {
		to = path.Dir(to)
	}
	fixed := path.Dir(in[:strings.IndexAny(in, "*?[")] + "x")
	for _, m := range matches {
		rel := m
		if fixed != "." {
			rel = strings.TrimPrefix(m, fixed+"/")
		}
		if err := a.addTree(m, path.Join(to, rel)); err != nil {
			return err
		}
	}
	return nil
}

// write returns the zip's bytes, at most client.MaxCode of them.
func (a *archive) write() ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		if err := a.writeFile(z, name); err != nil {
			return nil, err
		}
		if b.Len() > client.MaxCode {
			return nil, fmt.Errorf("the zip has more than %d bytes", client.MaxCode)
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

func (a *archive) writeFile(z *zip.Writer, name string) error {
	file, err := a.from.root.Open(a.files[name])
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	st, err := file.Stat()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate} // no time: equal files give equal zips
	h.SetMode(st.Mode().Perm()&0o111 | 0o644)
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, io.LimitReader(file, maxUnzipped+1))
	if err == nil && n > maxUnzipped {
		err = fmt.Errorf("%s has more than %d bytes", a.files[name], maxUnzipped)
	}
	return err
}

// maxUnzipped bounds one file of an archive.
const maxUnzipped = 256 << 20
