package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"hearth/auth"
	"hearth/store"
)

// Files in the data folder. A rekey writes the next key before it uses it.
const (
	masterFile     = "master.key"
	nextMasterFile = "master.key.next"
)

// openKeys returns the keys that the store is kept under. named is the file
// with the master key; "" is the one in the data folder, which is made if it is
// not there and nothing is kept under it. A named one must be there: another key
// than the store's would make everything in it unreadable.
func openKeys(ctx context.Context, named string, data *dataDir, st store.Engine) (*auth.Keyring, error) {
	if named == "" {
		if _, err := finishRekey(ctx, data, st); err != nil {
			return nil, err
		}
	}
	master, err := loadMaster(ctx, named, data, st)
	if err != nil {
		return nil, err
	}
	keys, err := auth.NewKeyring(master)
	if err != nil {
		return nil, err
	}
	err = keys.Claim(ctx, st)
	if errors.Is(err, auth.ErrOtherKey) {
		err = fmt.Errorf("%w; name the file with the right one by --master-key-file", err)
	}
	return keys, err
}

func loadMaster(ctx context.Context, named string, data *dataDir, st store.Engine) (auth.MasterKey, error) {
	if named != "" {
		key, err := auth.LoadMasterKey(named)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w (openssl rand -hex 32 makes one)", err)
		}
		return key, err
	}
	file := data.file(masterFile)
	key, err := auth.LoadMasterKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if used, uErr := st.Namespaces(ctx); uErr != nil || len(used) > 0 {
		return key, errors.Join(uErr, fmt.Errorf("%w; it was in use: restore it, or name it by --master-key-file", err))
	}
	return auth.LoadOrCreateMasterKey(file)
}

// finishRekey puts the next master key into its place if the store is under it,
// and reports whether it was so.
func finishRekey(ctx context.Context, data *dataDir, st store.Engine) (bool, error) {
	file := data.file(nextMasterFile)
	master, err := auth.LoadMasterKey(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	keys, err := auth.NewKeyring(master)
	if err != nil {
		return false, err
	}
	if under, err := isUnder(ctx, st, keys); err != nil || !under {
		return false, err
	}
	if _, err := setAside(data); err != nil {
		return false, err
	}
	return true, errors.Join(os.Rename(file, data.file(masterFile)), syncFolder(data.path))
}

// isUnder reports whether the store is under the keys.
func isUnder(ctx context.Context, st store.Engine, keys *auth.Keyring) (bool, error) {
	id, err := st.Note(ctx, auth.NoteKeyID)
	return bytes.Equal(id, keys.ID()), err
}

// setAside gives the master key of the data folder the name of the day, under
// which nobody looks for it.
func setAside(data *dataDir) (string, error) {
	old := data.file(masterFile)
	kept := data.file(masterFile + ".until-" + time.Now().UTC().Format("20060102T150405.000Z"))
	if err := os.Rename(old, kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("set the old master key aside: %w", err)
	}
	return kept, syncFolder(data.path)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
