package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"hearth/store"
	"hearth/whisk"
)

const credentialColumns = "uuid, subject, ns, mac, sealed, blocked"

func scanCredential(s scanner) (store.Credential, error) {
	var c store.Credential
	err := s.Scan(&c.UUID, &c.Subject, &c.Namespace, &c.MAC, &c.Sealed, &c.Blocked)
	return c, err
}

// Credential implements [store.Engine].
func (d *DB) Credential(ctx context.Context, uuid string) (store.Credential, error) {
	c, err := scanCredential(d.reader.QueryRowContext(ctx, "SELECT "+credentialColumns+" FROM credentials WHERE uuid = ?", uuid))
	if errors.Is(err, sql.ErrNoRows) {
		return store.Credential{}, whisk.ErrNotFound
	}
	return c, wrap(err, "read a credential")
}

// Credentials implements [store.Engine].
func (d *DB) Credentials(ctx context.Context, ns whisk.Namespace) ([]store.Credential, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT "+credentialColumns+" FROM credentials WHERE ns = ? ORDER BY uuid", string(ns))
	if err != nil {
		return nil, fmt.Errorf("list credentials of %s: %w", ns, err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.Credential
	for rows.Next() {
		c, err := scanCredential(rows)
		if err != nil {
			return nil, fmt.Errorf("list credentials of %s: %w", ns, err)
		}
		out = append(out, c)
	}
	return out, wrap(rows.Err(), "list credentials of "+string(ns))
}

// PutCredential implements [store.Engine].
func (d *DB) PutCredential(ctx context.Context, c store.Credential) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO credentials (`+credentialColumns+`) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (uuid) DO UPDATE SET subject = excluded.subject, ns = excluded.ns, mac = excluded.mac,
				sealed = excluded.sealed, blocked = excluded.blocked`,
			c.UUID, c.Subject, string(c.Namespace), nullable(c.MAC), nullable(c.Sealed), c.Blocked)
		if err != nil {
			return err
		}
		_, err = d.change(ctx, tx, kindCredentials, c.UUID)
		return err
	})
	return wrap(err, "write a credential of "+string(c.Namespace))
}

// DeleteCredential implements [store.Engine].
func (d *DB) DeleteCredential(ctx context.Context, uuid string) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM credentials WHERE uuid = ?", uuid)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			return whisk.ErrNotFound
		}
		_, err = d.change(ctx, tx, kindCredentials, uuid)
		return err
	})
	return wrap(err, "delete a credential")
}

// NamespaceLimits implements [store.Engine].
func (d *DB) NamespaceLimits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	var l whisk.NamespaceLimits
	var body string
	err := d.reader.QueryRowContext(ctx, "SELECT body FROM namespace_limits WHERE ns = ?", string(ns)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return l, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &l)
	}
	return l, wrap(err, "read the limits of "+string(ns))
}

// PutNamespaceLimits implements [store.Engine].
func (d *DB) PutNamespaceLimits(ctx context.Context, ns whisk.Namespace, l whisk.NamespaceLimits) error {
	body, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write the limits of %s: %w", ns, err)
	}
	err = d.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO namespace_limits (ns, body) VALUES (?, ?)
			ON CONFLICT (ns) DO UPDATE SET body = excluded.body`, string(ns), string(body))
		if err != nil {
			return err
		}
		_, err = d.change(ctx, tx, kindLimits, string(ns))
		return err
	})
	return wrap(err, "write the limits of "+string(ns))
}
