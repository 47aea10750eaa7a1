package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

const sandboxesFolder = "sandboxes"

// openDir makes the driver's folders and empties them of an earlier life. As
// root they are made so that a sandbox passes through but cannot look around.
func (d *Driver) openDir() error {
	dir, err := filepath.Abs(d.cfg.Dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	if d.uids != nil {
		if err := os.Chmod(dir, 0o711); err != nil {
			return err
		}
		if !passable(filepath.Dir(dir)) {
			if d.cfg.FallbackDir == "" {
				return fmt.Errorf("sandboxes have user ids of their own and cannot get to %s: let others pass through the folders above it (chmod o+x), or choose another", dir)
			}
			dir, d.fallback = filepath.Join(d.cfg.FallbackDir, "work-"+d.name()), true
			if err := makePassable(d.cfg.FallbackDir, dir); err != nil {
				return err
			}
		}
	}
	if d.lock, err = lockDir(dir); err != nil {
		return err
	}
	d.dir = dir
	if d.fallback {
		sweep(d.cfg.FallbackDir)
	}
	if err := clean(dir); err != nil {
		return err
	}
	for _, sub := range []string{sandboxesFolder, launchersFolder} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o711); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(dir, sub), 0o711); err != nil {
			return err
		}
	}
	for name, text := range map[string][]byte{"launcher.js": launcherJS, "launcher.py": launcherPy} {
		if err := writeFile(d.launcherFile(name), text); err != nil {
			return err
		}
	}
	return nil
}

// clean kills and removes the sandboxes that an earlier life left in a folder.
func clean(dir string) error {
	boxes := filepath.Join(dir, sandboxesFolder)
	killAll(func() []int { return withHome(boxes) }, 3, goneWithin)
	return removeTree(boxes)
}

// sweep removes from the fallback folder what drivers left that were killed
// and whose Config.Dir nobody uses any more.
func sweep(fallback string) {
	dirs, _ := filepath.Glob(filepath.Join(fallback, "work-*"))
	for _, dir := range dirs {
		lock, err := lockDir(dir)
		if err != nil {
			continue // in use; one's own is too
		}
		_ = clean(dir)
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

const lockFile = "lock"

// lockDir claims a folder for this process: two drivers in one would remove
// each other's sandboxes.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the folder %s is in use by another process: %w", dir, err)
	}
	ours, err1 := f.Stat()
	there, err2 := os.Stat(path)
	if err := errors.Join(err1, err2); err != nil || !os.SameFile(ours, there) {
		_ = f.Close()
		return nil, fmt.Errorf("the folder %s was removed just now: %w", dir, err)
	}
	return f, nil
}

// makePassable makes folders that others can pass through, whatever the umask.
func makePassable(dirs ...string) error {
	for _, dir := range dirs {
		if isDir(dir) {
			continue
		}
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o711); err != nil {
			return err
		}
	}
	if last := dirs[len(dirs)-1]; !passable(last) {
		return fmt.Errorf("%s: others cannot pass through to it", last)
	}
	return nil
}

func isDir(p string) bool {
	fi, err := os.Lstat(p)
	return err == nil && fi.IsDir()
}

const launchersFolder = "launchers"

func (d *Driver) launcherFile(name string) string { return filepath.Join(d.dir, launchersFolder, name) }

func writeFile(path string, text []byte) error {
	_ = os.Remove(path)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	return os.Chmod(path, 0o644) // whatever the umask
}

// passable reports whether any user gets through the folder and all above it.
func passable(dir string) bool {
	for {
		fi, err := os.Stat(dir)
		if err != nil || fi.Mode().Perm()&0o001 == 0 {
			return false
		}
		up := filepath.Dir(dir)
		if up == dir {
			return true
		}
		dir = up
	}
}

// removeDir removes the folders that this driver made, and leaves Config.Dir
// itself.
func (d *Driver) removeDir() {
	if d.dir == "" {
		return
	}
	_ = os.RemoveAll(filepath.Join(d.dir, launchersFolder))
	_ = os.Remove(filepath.Join(d.dir, sandboxesFolder))
	_ = os.Remove(filepath.Join(d.dir, lockFile))
	_ = d.lock.Close()
	if d.fallback {
		_ = os.Remove(d.dir)
		_ = os.Remove(filepath.Dir(d.dir)) // unless another invoker is there
	}
}

// removeTree removes a folder in which user code may have taken itself the
// rights to its own files.
func removeTree(dir string) error {
	if err := os.RemoveAll(dir); err == nil || os.Geteuid() == 0 {
		return err
	}
	_ = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// sharedFolders are where any program may leave files.
var sharedFolders = []string{"/tmp", "/var/tmp", "/dev/shm"}

// removeOwned removes what a sandbox's user id has left in shared folders.
func removeOwned(uid int) {
	for _, dir := range sharedFolders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			fi, err := e.Info()
			if err != nil {
				continue
			}
			if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) == uid {
				_ = removeTree(filepath.Join(dir, e.Name()))
			}
		}
	}
}
