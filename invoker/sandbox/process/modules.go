package process

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// modulesFolder is where Node.js looks for modules, from the code's folder
// upwards: a link of that name beside it makes [Config.NodeModules] the last of
// what an action finds, after what it brings along.
const modulesFolder = "node_modules"

// openModules finds out where sandboxes get the modules of Config.NodeModules:
// there, or in a copy that their user ids can read.
func (d *Driver) openModules() error {
	copied := filepath.Join(d.dir, modulesFolder)
	if err := os.RemoveAll(copied); err != nil {
		return err
	}
	if d.cfg.NodeModules == "" {
		return nil
	}
	dir, err := filepath.Abs(d.cfg.NodeModules)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return fmt.Errorf("node modules: %w", err)
	}
	if !isDir(dir) {
		return fmt.Errorf("node modules: %s is no folder", dir)
	}
	if d.uids == nil || passable(dir) && readable(dir) {
		d.modules = dir
		return nil
	}
	if err := copyReadable(copied, dir); err != nil {
		return fmt.Errorf("node modules: %w", err)
	}
	d.modules = copied
	return nil
}

// readable reports whether everybody may list the folder and those in it; what
// is deeper is taken to have been written the same way.
func readable(dir string) bool {
	const rx = 0o005
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range append([]fs.DirEntry{nil}, entries...) {
		name := dir
		if e != nil {
			if !e.IsDir() {
				continue
			}
			name = filepath.Join(dir, e.Name())
		}
		fi, err := os.Stat(name)
		if err != nil || fi.Mode().Perm()&rx != rx {
			return false
		}
	}
	return true
}

// copyReadable copies a folder and lets everybody read it, whatever the umask.
func copyReadable(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.Chmod(name, 0o755)
		case e.Type().IsRegular():
			return os.Chmod(name, 0o644)
		}
		return nil
	})
}

// linkModules puts the modules above the code of a nodejs sandbox.
func (b *box) linkModules() error {
	if b.d.modules == "" {
		return nil
	}
	if err := os.Symlink(b.d.modules, filepath.Join(b.home, modulesFolder)); err != nil {
		return fmt.Errorf("node modules: %w", err)
	}
	return nil
}
