package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"hearth/auth"
	"hearth/store"
)

// masterFile is the master key's file in the data folder.
const masterFile = "master.key"

// openKeys returns the keys that the store is kept under. named is the file
// with the master key; "" is the one in the data folder, which is made if it is
// not there and nothing is kept under it. A named one must be there: another key
// than the store's would make everything in it unreadable.
func openKeys(ctx context.Context, named string, data *dataDir, st store.Engine) (*auth.Keyring, error) {
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
