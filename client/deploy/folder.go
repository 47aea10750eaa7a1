package deploy

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// folder reads a project's files. Names are relative to the manifest, and lead
// nowhere outside the root, not by symbolic links either.
type folder struct {
	root *os.Root
	base string // the manifest's folder, within root; "." is root itself
}

// openFolder opens the folder of a manifest. Files may be read below root, if
// that holds the manifest, else only below the manifest's own folder.
func openFolder(manifest, root string) (*folder, error) {
	dir, err := realPath(filepath.Dir(manifest))
	if err != nil {
		return nil, err
	}
	f := &folder{base: "."}
	if root != "" {
		if root, err = realPath(root); err != nil {
			return nil, err
		}
		if rel, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(rel) {
			dir, f.base = root, filepath.ToSlash(rel)
		}
	}
	f.root, err = os.OpenRoot(dir)
	return f, err
}

func realPath(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(name)
}

// within returns a name as it is in root.
func (f *folder) within(name string) (string, error) {
	in := path.Join(f.base, filepath.ToSlash(name))
	if filepath.IsAbs(name) || !filepath.IsLocal(in) {
		return "", fmt.Errorf("%q is outside the project's folder %q: say --project to widen it", name, f.root.Name())
	}
	return in, nil
}

// stat describes a file or folder.
func (f *folder) stat(name string) (fs.FileInfo, error) {
	in, err := f.within(name)
	if err != nil {
		return nil, err
	}
	return f.root.Stat(in)
}

// read reads a file of at most limit bytes.
func (f *folder) read(name string, limit int64) ([]byte, error) {
	in, err := f.within(name)
	if err != nil {
		return nil, err
	}
	return readIn(f.root, in, limit)
}

func readIn(root *os.Root, in string, limit int64) ([]byte, error) {
	file, err := root.Open(in)
	if err != nil {
		return nil, err
	}
	return readAll(file, limit)
}

// readFile reads a file that the user named of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return readAll(file, limit)
}

// readAll reads a file to its end and closes it.
func readAll(file *os.File, limit int64) ([]byte, error) {
	defer func() { _ = file.Close() }() // only read
	if st, err := file.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", file.Name())
	}
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", file.Name(), limit)
	}
	return b, err
}

// firstOf returns the first of the names that is a file in dir, "" if none is.
func firstOf(dir string, names ...string) string {
	for _, n := range names {
		full := filepath.Join(dir, n)
		if st, err := os.Stat(full); err == nil && !st.IsDir() {
			return full
		}
	}
	return ""
}

// FindManifest returns the manifest of a folder, "" if it has none.
func FindManifest(dir string) string { return firstOf(dir, "manifest.yaml", "manifest.yml") }

// FindDeployment returns the deployment file of a folder, "" if it has none.
func FindDeployment(dir string) string { return firstOf(dir, "deployment.yaml", "deployment.yml") }

// hasMeta reports whether a path is a pattern.
func hasMeta(name string) bool { return strings.ContainsAny(name, "*?[") }
