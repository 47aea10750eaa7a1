package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// AwaitChange implements [store.Waker]. What was committed between two calls
// ends the second at once, as does a new connection, since something may have
// been committed while there was none.
func (d *DB) AwaitChange(ctx context.Context) error {
	d.listen.Lock()
	defer d.listen.Unlock()
	err := d.awaitChange(ctx)
	if err != nil && d.listener != nil && d.listener.IsClosed() {
		d.listener = nil
	}
	return wrap(err, "listen for changes")
}

func (d *DB) awaitChange(ctx context.Context) error {
	if d.listener != nil {
		_, err := d.listener.WaitForNotification(ctx)
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, d.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{d.channel}.Sanitize()); err != nil {
		_ = conn.Close(ctx) // of no use
		return fmt.Errorf("listen: %w", err)
	}
	d.listener = conn
	return nil
}

func (d *DB) closeListener() error {
	d.listen.Lock()
	defer d.listen.Unlock()
	if d.listener == nil {
		return nil
	}
	conn := d.listener
	d.listener = nil
	return conn.Close(context.Background())
}
