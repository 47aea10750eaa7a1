package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

const credentialColumns = "uuid, subject, ns, mac, sealed, blocked"

func scanCredential(r pgx.CollectableRow) (store.Credential, error) {
	var c store.Credential
	err := r.Scan(&c.UUID, &c.Subject, &c.Namespace, &c.MAC, &c.Sealed, &c.Blocked)
	return c, err
}

// Credential implements [store.Engine].
func (d *DB) Credential(ctx context.Context, uuid string) (store.Credential, error) {
	c, err := one(ctx, d, scanCredential, "SELECT "+credentialColumns+" FROM credentials WHERE uuid = $1", uuid)
	return c, wrap(err, "read a credential")
}

// Credentials implements [store.Engine].
func (d *DB) Credentials(ctx context.Context, ns whisk.Namespace) ([]store.Credential, error) {
	out, err := list(ctx, d, scanCredential, "SELECT "+credentialColumns+" FROM credentials WHERE ns = $1 ORDER BY subject, uuid", string(ns))
	return out, wrap(err, "list credentials of "+string(ns))
}

const ofSubject = "SELECT " + credentialColumns + " FROM credentials WHERE subject = $1 ORDER BY ns, uuid"

// SubjectCredentials implements [store.Engine].
func (d *DB) SubjectCredentials(ctx context.Context, subject string) ([]store.Credential, error) {
	out, err := list(ctx, d, scanCredential, ofSubject, subject)
	return out, wrap(err, "list credentials of subject "+subject)
}

// Namespaces implements [store.Engine].
func (d *DB) Namespaces(ctx context.Context) ([]whisk.Namespace, error) {
	out, err := list(ctx, d, pgx.RowTo[whisk.Namespace], "SELECT DISTINCT ns FROM credentials ORDER BY ns")
	return out, wrap(err, "list namespaces")
}

// ChangeSubject implements [store.Engine].
func (d *DB) ChangeSubject(ctx context.Context, subject string, decide store.Decide) error {
	err := d.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockText, []int64{lockOf("subject", subject)}); err != nil {
			return err
		}
		have, err := collect(ctx, tx, scanCredential, ofSubject, subject)
		if err != nil {
			return err
		}
		put, del, err := decide(have)
		if err != nil {
			return err
		}
		var changed []string
		for _, uuid := range del {
			tag, err := tx.Exec(ctx, "DELETE FROM credentials WHERE uuid = $1 AND subject = $2", uuid, subject)
			if err != nil {
				return err
			}
			if tag.RowsAffected() > 0 {
				changed = append(changed, uuid)
			}
		}
		for _, c := range put {
			if c.Subject != subject {
				return whisk.ErrExists
			}
			tag, err := tx.Exec(ctx, `INSERT INTO credentials (`+credentialColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (uuid) DO UPDATE SET ns = excluded.ns, mac = excluded.mac, sealed = excluded.sealed,
					blocked = excluded.blocked WHERE credentials.subject = excluded.subject`,
				c.UUID, subject, string(c.Namespace), nullable(c.MAC), nullable(c.Sealed), c.Blocked)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return whisk.ErrExists
			}
			changed = append(changed, c.UUID)
		}
		return d.noteChanges(ctx, tx, store.KindCredentials, changed)
	})
	return wrap(err, "write credentials of subject "+subject)
}

// noteChanges appends changes of one kind to the change log.
func (d *DB) noteChanges(ctx context.Context, tx pgx.Tx, kind string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	kinds := make([]string, len(keys))
	for i := range kinds {
		kinds[i] = kind
	}
	b := &pgx.Batch{}
	d.queueChanges(b, kinds, keys, nil)
	return tx.SendBatch(ctx, b).Close()
}
