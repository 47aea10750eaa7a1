package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"hearth/whisk"
)

// ErrOtherKey means that a store was written under another master key.
var ErrOtherKey = errors.New("the store is kept under another master key")

// NoteKeyID is the name of the note by which a store knows its master key.
const NoteKeyID = "master key id"

// claimed is what Claim asks of a store.
type claimed interface {
	Note(ctx context.Context, name string) ([]byte, error)
	PutNote(ctx context.Context, name string, value []byte) error
	Namespaces(ctx context.Context) ([]whisk.Namespace, error)
	Credentials(ctx context.Context, ns whisk.Namespace) ([]whisk.Credential, error)
}

// ID is what a store notes to know its master key again. Nothing can be
// derived from it.
func (r *Keyring) ID() []byte { return r.id[:] }

// Claim returns nil if the store is kept under the master key, else an error
// that is [ErrOtherKey]. A store that knows none yet is claimed for it.
func (r *Keyring) Claim(ctx context.Context, st claimed) error {
	id, err := st.Note(ctx, NoteKeyID)
	if err != nil {
		return err
	}
	if id != nil {
		if !bytes.Equal(id, r.id[:]) {
			return ErrOtherKey
		}
		return nil
	}
	// A store of before there were notes tells by what it holds.
	namespaces, err := st.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, ns := range namespaces {
		list, err := st.Credentials(ctx, ns)
		if err != nil {
			return err
		}
		for _, c := range list {
			if _, err := r.key(c.UUID, c.Sealed); err != nil {
				return fmt.Errorf("%w: the credential %s cannot be opened", ErrOtherKey, c.UUID)
			}
		}
	}
	return st.PutNote(ctx, NoteKeyID, r.id[:])
}

// Reseal returns a credential of the ring from as one of this ring.
func (r *Keyring) Reseal(from *Keyring, c whisk.Credential) (whisk.Credential, error) {
	key, err := from.key(c.UUID, c.Sealed)
	if err != nil {
		return c, fmt.Errorf("credential %s: %w", c.UUID, err)
	}
	next, err := r.credential(key, c.Subject, c.Namespace)
	next.Blocked = c.Blocked
	return next, err
}
