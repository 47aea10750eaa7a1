package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"hearth/store"
	"hearth/whisk"
)

const credentialColumns = "uuid, subject, ns, mac, sealed, blocked, sum"

// scanCredential reads a credential: [whisk.ErrCorrupted] if it is not what was
// stored.
func scanCredential(s scanner) (store.Credential, error) {
	var c store.Credential
	var sum int64
	err := s.Scan(&c.UUID, &c.Subject, &c.Namespace, &c.MAC, &c.Sealed, &c.Blocked, &sum)
	if err == nil && sum != credentialSum(c) {
		err = damaged("the credential " + c.UUID + " of " + c.Subject)
	}
	return c, err
}

func credentialSum(c store.Credential) int64 {
	return rowSum(c.UUID, c.Subject, string(c.Namespace), nullable(c.MAC), nullable(c.Sealed), c.Blocked)
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// selectCredentials returns those for which where holds. Damaged ones are left
// out, and seen told, unless it is nil.
func selectCredentials(ctx context.Context, q querier, seen func(error) error, where string, args ...any) ([]store.Credential, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+credentialColumns+" FROM credentials WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []store.Credential
	for rows.Next() {
		c, err := scanCredential(rows)
		if err != nil && (seen == nil || !errors.Is(err, whisk.ErrCorrupted)) {
			return nil, err
		}
		if err != nil {
			_ = seen(err)
			continue
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// Credential implements [store.Engine].
func (d *DB) Credential(ctx context.Context, uuid string) (store.Credential, error) {
	c, err := scanCredential(d.reader.QueryRowContext(ctx, "SELECT "+credentialColumns+" FROM credentials WHERE uuid = ?", uuid))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Credential{}, whisk.ErrNotFound
	}
	if err != nil {
		return store.Credential{}, d.report(wrap(err, "read a credential"))
	}
	return c, nil
}

// Credentials implements [store.Engine].
func (d *DB) Credentials(ctx context.Context, ns whisk.Namespace) ([]store.Credential, error) {
	out, err := selectCredentials(ctx, d.reader, d.report, "ns = ? ORDER BY subject, uuid", string(ns))
	return out, wrap(err, "list credentials of "+string(ns))
}

const ofSubject = "subject = ? ORDER BY ns, uuid"

// SubjectCredentials implements [store.Engine].
func (d *DB) SubjectCredentials(ctx context.Context, subject string) ([]store.Credential, error) {
	out, err := selectCredentials(ctx, d.reader, d.report, ofSubject, subject)
	return out, wrap(err, "list credentials of subject "+subject)
}

// Namespaces implements [store.Engine].
func (d *DB) Namespaces(ctx context.Context) ([]whisk.Namespace, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT DISTINCT ns FROM credentials ORDER BY ns")
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []whisk.Namespace
	for rows.Next() {
		var ns whisk.Namespace
		if err := rows.Scan(&ns); err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		out = append(out, ns)
	}
	return out, wrap(rows.Err(), "list namespaces")
}

// ChangeSubject implements [store.Engine].
func (d *DB) ChangeSubject(ctx context.Context, subject string, decide store.Decide) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		have, err := selectCredentials(ctx, tx, d.report, ofSubject, subject)
		if err != nil {
			return err
		}
		put, del, err := decide(have)
		if err != nil {
			return err
		}
		for _, uuid := range del {
			res, err := tx.ExecContext(ctx, "DELETE FROM credentials WHERE uuid = ? AND subject = ?", uuid, subject)
			if err := d.credentialChanged(ctx, tx, uuid, res, err); err != nil && !errors.Is(err, errUnchanged) {
				return err
			}
		}
		for _, c := range put {
			if c.Subject != subject {
				return whisk.ErrExists
			}
			res, err := tx.ExecContext(ctx, `INSERT INTO credentials (`+credentialColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (uuid) DO UPDATE SET ns = excluded.ns, mac = excluded.mac, sealed = excluded.sealed,
					blocked = excluded.blocked, sum = excluded.sum WHERE subject = excluded.subject`,
				c.UUID, subject, string(c.Namespace), nullable(c.MAC), nullable(c.Sealed), c.Blocked, credentialSum(c))
			err = d.credentialChanged(ctx, tx, c.UUID, res, err)
			if errors.Is(err, errUnchanged) {
				return whisk.ErrExists
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "write credentials of subject "+subject)
}

var errUnchanged = errors.New("no row was changed")

// credentialChanged notes that a statement has changed a credential, or returns
// errUnchanged if it has not.
func (d *DB) credentialChanged(ctx context.Context, tx *sql.Tx, uuid string, res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return errUnchanged
	}
	_, err = d.change(ctx, tx, store.KindCredentials, uuid)
	return err
}
