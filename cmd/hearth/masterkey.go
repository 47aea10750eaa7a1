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
// not there. A named one must be there: another key than the store's would make
// everything in it unreadable.
func openKeys(ctx context.Context, named string, data *dataDir, st store.Engine) (*auth.Keyring, error) {
	master, err := loadMaster(named, data)
	if err != nil {
		return nil, err
	}
	keys, err := auth.NewKeyring(master)
	if err != nil {
		return nil, err
	}
	if err := keys.Claim(ctx, st); err != nil {
		if errors.Is(err, auth.ErrOtherKey) {
			err = fmt.Errorf("%w; start with the --master-key-file that it was written under", err)
		}
		return nil, err
	}
	return keys, nil
}

func loadMaster(named string, data *dataDir) (auth.MasterKey, error) {
	if named == "" {
		return auth.LoadOrCreateMasterKey(data.file(masterFile))
	}
	key, err := auth.LoadMasterKey(named)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (openssl rand -hex 32 makes one)", err)
	}
	return key, err
}
