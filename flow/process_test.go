package flow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hearth/whisk"
)

// process is a world as one process sees it. Once dead it does nothing there,
// and gets no answers. While it is halted it does nothing, and what it asked for
// is answered when it goes on, however late that is.
type process struct {
	*world
	dead atomic.Bool

	mu   sync.Mutex
	halt chan struct{} // closed when the process goes on; nil: it does
}

// pause halts the process for a while.
func (p *process) pause(d time.Duration) {
	halt := make(chan struct{})
	p.mu.Lock()
	p.halt = halt
	p.mu.Unlock()
	time.AfterFunc(d, func() { close(halt) })
}

// await returns when the process is not halted.
func (p *process) await() {
	p.mu.Lock()
	halt := p.halt
	p.mu.Unlock()
	if halt != nil {
		<-halt
	}
}

func (p *process) try(f func() error) error {
	p.await()
	if p.dead.Load() {
		return errAway
	}
	err := f()
	p.await()
	if p.dead.Load() {
		return errAway
	}
	return err
}

func (p *process) Enqueue(ctx context.Context, row whisk.QueueRow) error {
	return p.try(func() error { return p.world.Enqueue(ctx, row) })
}

func (p *process) Start(ctx context.Context, id whisk.ActivationID, token, holder int64, lasts time.Duration) (ok bool, err error) {
	err = p.try(func() (err error) { ok, err = p.world.Start(ctx, id, token, holder, lasts); return err })
	return ok && err == nil, err
}

func (p *process) StartNew(ctx context.Context, row whisk.QueueRow, lasts time.Duration) error {
	return p.try(func() error { return p.world.StartNew(ctx, row, lasts) })
}

func (p *process) Requeue(ctx context.Context, id whisk.ActivationID, token, holder int64) error {
	return p.try(func() error { return p.world.Requeue(ctx, id, token, holder) })
}

func (p *process) Release(ctx context.Context, id whisk.ActivationID, holder int64) error {
	return p.try(func() error { return p.world.Release(ctx, id, holder) })
}

func (p *process) Cancel(ctx context.Context, id whisk.ActivationID, rec *whisk.Activation) (ok bool, err error) {
	err = p.try(func() (err error) { ok, err = p.world.Cancel(ctx, id, rec); return err })
	return ok && err == nil, err
}

func (p *process) Redrive(ctx context.Context, id whisk.ActivationID, row whisk.QueueRow) error {
	return p.try(func() error { return p.world.Redrive(ctx, id, row) })
}

func (p *process) Commit(ctx context.Context, recs []*whisk.Activation, rows []whisk.QueueRow) error {
	return p.try(func() error { return p.world.Commit(ctx, recs, rows) })
}

func (p *process) QueueRows(ctx context.Context, after int64, limit int) (rows []whisk.QueueRow, err error) {
	err = p.try(func() (err error) { rows, err = p.world.QueueRows(ctx, after, limit); return err })
	return rows, err
}

func (p *process) QueueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (row whisk.QueueRow, err error) {
	err = p.try(func() (err error) { row, err = p.world.QueueRow(ctx, ns, id); return err })
	return row, err
}

func (p *process) Claim(ctx context.Context, q whisk.ClaimQuery) (rows []whisk.QueueRow, err error) {
	err = p.try(func() (err error) { rows, err = p.world.Claim(ctx, q); return err })
	return rows, err
}

func (p *process) RenewClaims(ctx context.Context, holder int64) error {
	return p.try(func() error { return p.world.RenewClaims(ctx, holder) })
}

func (p *process) Overdue(ctx context.Context, limit int) (rows []whisk.QueueRow, err error) {
	err = p.try(func() (err error) { rows, err = p.world.Overdue(ctx, limit); return err })
	return rows, err
}

func (p *process) Record(rec *whisk.Activation, done func(error)) {
	if p.dead.Load() {
		done(&whisk.Error{Kind: whisk.Unavailable, Message: "dead"})
		return
	}
	p.world.Record(rec, func(err error) {
		p.await()
		done(err)
	})
}
