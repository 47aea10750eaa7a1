package sqlite

import (
	"context"
	"sync"
	"time"
)

// leading remembers who leads, by the name of what is led.
type leading struct {
	mu sync.Mutex // guards by; held while the term is written
	by map[string]hold
}

// Lead implements [store.Engine]. Only a term is written, when it begins: who
// has it, and until when, ends with the process.
func (d *DB) Lead(ctx context.Context, name string, holder int64, ttl time.Duration) (int64, error) {
	d.leading.mu.Lock()
	defer d.leading.mu.Unlock()
	now := time.Now()
	l := d.leading.by[name]
	if l.holder != holder && !l.free(now) {
		return 0, nil
	}
	var term int64
	var err error
	if l.holder == holder {
		err = d.reader.QueryRowContext(ctx, "SELECT term FROM leases WHERE name = ?", name).Scan(&term)
	} else {
		err = d.writer.QueryRowContext(ctx, `INSERT INTO leases (name, term) VALUES (?, 1)
			ON CONFLICT (name) DO UPDATE SET term = term + 1 RETURNING term`, name).Scan(&term)
	}
	if err != nil {
		return 0, wrap(err, "take the lease "+name)
	}
	d.leading.by[name] = hold{holder, now.Add(ttl)}
	return term, nil
}

// Resign implements [store.Engine].
func (d *DB) Resign(_ context.Context, name string, holder int64) error {
	d.leading.mu.Lock()
	defer d.leading.mu.Unlock()
	if d.leading.by[name].holder == holder {
		delete(d.leading.by, name)
	}
	return nil
}
