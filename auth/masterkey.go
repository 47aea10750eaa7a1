package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// MasterKey is the secret from which all of Hearth's own keys are derived. It
// never goes into the store. Who loses it loses all credentials and the rows
// that wait in the queue.
type MasterKey [32]byte

// String hides the key, so that no log shows it by accident.
func (MasterKey) String() string { return "master key" }

// GoString hides the key from %#v too.
func (MasterKey) GoString() string { return "master key" }

// MarshalText hides the key from encoders, those of structured logs among them.
func (MasterKey) MarshalText() ([]byte, error) { return []byte("master key"), nil }

// maxKeyFile bounds what is read of a key file: 64 digits and some white space.
const maxKeyFile = 256

// LoadOrCreateMasterKey reads the key file at path (64 hexadecimal digits),
// or, where there is none, makes one with a random key. Of several processes
// that do so at once one wins and all return its key. The file must be closed
// to group and others.
func LoadOrCreateMasterKey(path string) (MasterKey, error) {
	key, err := LoadMasterKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := createMasterKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return MasterKey{}, fmt.Errorf("create master key: %w", err)
	}
	return LoadMasterKey(path)
}

// LoadMasterKey reads the key file at path, which must be there (else the error
// is [fs.ErrNotExist]).
func LoadMasterKey(path string) (MasterKey, error) {
	var key MasterKey
	f, err := os.Open(path)
	if err != nil {
		return key, fmt.Errorf("master key: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return key, fmt.Errorf("master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return key, fmt.Errorf("master key %s: not a regular file", path)
	}
	if p := info.Mode().Perm(); p&0o077 != 0 {
		return key, fmt.Errorf("master key %s: mode %#o lets others read it; run chmod 600 on it", path, p)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return key, fmt.Errorf("master key %s: %w", path, err)
	}
	if key, err = parseMasterKey(b); err != nil {
		return key, fmt.Errorf("master key %s: %w", path, err)
	}
	return key, nil
}

// parseMasterKey reads the text of a key file. Its errors quote none of it.
func parseMasterKey(b []byte) (MasterKey, error) {
	var key MasterKey
	b = bytes.TrimSpace(b)
	if len(b) != hex.EncodedLen(len(key)) {
		return key, fmt.Errorf("want %d hexadecimal digits, got %d bytes", hex.EncodedLen(len(key)), len(b))
	}
	if _, err := hex.Decode(key[:], b); err != nil {
		return MasterKey{}, errors.New("not hexadecimal digits only")
	}
	if key == (MasterKey{}) {
		return key, errors.New("all zero")
	}
	return key, nil
}

// createMasterKey writes a random key to a file of its own and links it to
// path, so that path appears with its whole content or not at all, and never
// replaces a file that is there (an error that is [fs.ErrExist]).
func createMasterKey(path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".masterkey-*") // 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	var key MasterKey
	rand.Read(key[:]) // never fails since Go 1.24
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
