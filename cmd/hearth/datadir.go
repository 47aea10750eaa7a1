package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hearth/auth"
	"hearth/whisk"
)

// Files in a data folder.
const (
	lockFile  = "lock"
	storeFile = "hearth.db"
)

// dataDir is the folder that holds all of a platform's state. While it is open
// no second process can open it.
type dataDir struct {
	path string
	lock *os.File
}

// defaultDataDir is .hearth in the user's home.
func defaultDataDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ".hearth"
	}
	return filepath.Join(home, ".hearth")
}

// openData makes the folder if need be and locks it. The lock is the kernel's:
// it goes with the process, however that ends.
func openData(path string) (*dataDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(abs, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := lockAlone(f); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("another hearth is running on %s; stop it, or give this one its own --data folder", abs)
		}
		return nil, fmt.Errorf("lock data folder %s: %w", abs, err)
	}
	if err := removeEndpoints(abs); err != nil { // left by a process that was killed
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), f.Close())
	}
	return &dataDir{path: abs, lock: f}, nil
}

// lockAlone locks f, waiting a moment for an administrative command to end.
func lockAlone(f *os.File) error {
	const pause, patience = 20 * time.Millisecond, 500 * time.Millisecond
	for began := time.Now(); ; time.Sleep(pause) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Since(began) > patience {
			return err
		}
	}
}

func (d *dataDir) file(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

func (d *dataDir) close() error { return d.lock.Close() }

// writeSecret writes a file that only its owner can read, whole or not at all.
func writeSecret(name string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// keyFile returns the key in the file; if there is no such file it makes a
// random key and writes it there first.
func keyFile(name string) (whisk.AuthKey, error) {
	key, err := readKey(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = auth.NewKey()
	return key, writeSecret(name, []byte(key.Compact()+"\n"))
}

func readKey(name string) (key whisk.AuthKey, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return key, err
	}
	if key, err = auth.ParseKey(strings.TrimSpace(string(b))); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return key, err
}
