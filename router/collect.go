package router

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"hearth/whisk"
)

// collectors is how many invokers are collected from at once.
const collectors = 4

// unackedWait bounds the wait for one batch of records.
const unackedWait = 30 * time.Second

// Collect takes the unacknowledged records of all invokers, gives them to the
// recorder and acknowledges those that it committed. It returns when the
// invokers have no more, or the recorder takes no more; what is left is
// offered again the next time. The error is the first invoker's that failed.
func (r *Router) Collect(ctx context.Context) error {
	var g errgroup.Group // not its context: one that fails does not stop the others
	g.SetLimit(collectors)
	for _, m := range r.view.Load().members {
		g.Go(func() error {
			if err := r.collect(ctx, m); err != nil {
				return fmt.Errorf("invoker %q: %w", m.hello.ID, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (r *Router) collect(ctx context.Context, m *member) error {
	var first whisk.ActivationID // of the batch before
	for {
		recs, err := r.unacked(ctx, m)
		if err != nil {
			return err
		}
		if len(recs) == 0 || recs[0].ID == first {
			return nil
		}
		first = recs[0].ID
		ok, err := r.recordAll(ctx, m, recs)
		if err != nil || !ok {
			return err
		}
	}
}

func (r *Router) unacked(ctx context.Context, m *member) ([]*whisk.Activation, error) {
	ctx, cancel := context.WithTimeout(ctx, unackedWait)
	defer cancel()
	recs, err := m.invoker.Unacked(ctx, r.cfg.CollectBatch)
	return slices.DeleteFunc(recs, func(a *whisk.Activation) bool { return a == nil }), err
}

// recordAll records and acknowledges one batch. ok: all were committed.
func (r *Router) recordAll(ctx context.Context, m *member, recs []*whisk.Activation) (ok bool, err error) {
	var failed, left atomic.Int64
	left.Store(int64(len(recs)))
	all := make(chan struct{})
	for _, rec := range recs {
		r.recorder.Record(rec, func(err error) {
			if err == nil {
				r.m.collected.Inc()
				m.invoker.Ack(rec.ID)
			} else {
				r.m.dropped.Inc()
				failed.Add(1)
			}
			if left.Add(-1) == 0 {
				close(all)
			}
		})
	}
	select {
	case <-all:
		return failed.Load() == 0, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}
