package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"hearth/whisk"
)

// accounts is what seedAccounts asks of package auth.
type accounts interface {
	Ensure(ctx context.Context, subject string, ns whisk.Namespace, key whisk.AuthKey) error
}

// noter is what seedAccounts asks of the store.
type noter interface {
	Note(ctx context.Context, name string) ([]byte, error)
	PutNote(ctx context.Context, name string, value []byte) error
}

// seedAccounts makes the namespaces guest and whisk.system, once in the life of
// a store, and returns guest's key. A given guest key is the operator's word: it
// is good after every start, and written nowhere.
func seedAccounts(ctx context.Context, a accounts, st noter, d *dataDir, guest *whisk.AuthKey) (whisk.AuthKey, error) {
	if _, err := seed(ctx, a, st, d, "whisk.system"); err != nil {
		return whisk.AuthKey{}, err
	}
	if guest == nil {
		return seed(ctx, a, st, d, "guest")
	}
	if err := a.Ensure(ctx, "guest", "guest", *guest); err != nil {
		return *guest, fmt.Errorf("create namespace guest: %w", err)
	}
	return *guest, nil
}

// seed makes a namespace with a random key, which stands in a file beside the
// data that is written before the key is used, so that a crash in between loses
// none. It is done once: a key that the operator then revokes or deletes does
// not come back with the next start. Where another router on the same store has
// done it there is no file, and no key is returned.
func seed(ctx context.Context, a accounts, st noter, d *dataDir, ns whisk.Namespace) (whisk.AuthKey, error) {
	note, file := "made namespace "+string(ns), d.file(string(ns)+".key")
	made, err := st.Note(ctx, note)
	if err != nil {
		return whisk.AuthKey{}, err
	}
	if made != nil {
		key, err := readKey(file)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return key, err
	}
	key, err := keyFile(file)
	if err != nil {
		return key, err
	}
	if err := a.Ensure(ctx, string(ns), ns, key); err != nil {
		return key, fmt.Errorf("create namespace %s: %w", ns, err)
	}
	return key, st.PutNote(ctx, note, []byte(key.UUID))
}
