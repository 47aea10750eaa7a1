package store

import (
	"context"
	"fmt"
	"time"
)

// Run commits what is handed over until ctx ends, and then what is still
// pending, for at most FlushTimeout. What is left after that is answered with
// [ErrStopped], and Run says so in its error.
func (r *Recorder) Run(ctx context.Context) error {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx)) // ends all work
	defer cancel()
	ended := make(chan []*entry, 1)
	go func() { ended <- r.loop(ctx, hard) }()

	var left []*entry
	select {
	case left = <-ended:
	case <-ctx.Done():
		limit := time.NewTimer(r.cfg.FlushTimeout)
		defer limit.Stop()
		select {
		case left = <-ended:
		case <-limit.C:
			cancel()
			left = <-ended
		}
	}
	if lost := r.stop(left); lost > 0 {
		return fmt.Errorf("store: %d records were pending and could not be committed in %v", lost, r.cfg.FlushTimeout)
	}
	return nil
}

// loop returns the batch that it could not commit before hard ended.
func (r *Recorder) loop(ctx, hard context.Context) []*entry {
	for {
		select {
		case <-r.wake:
			r.linger(ctx)
		case <-ctx.Done():
			r.mu.Lock()
			empty := len(r.queue) == 0
			r.stopped = r.stopped || empty
			r.mu.Unlock()
			if empty {
				return nil
			}
		}
		if batch := r.take(); len(batch) > 0 && !r.commit(hard, batch) {
			return batch
		}
	}
}

// linger lets the queue grow for a while, unless somebody waits.
func (r *Recorder) linger(ctx context.Context) {
	for seen := 0; ; {
		r.mu.Lock()
		n := len(r.queue)
		var age time.Duration
		if n > 0 {
			age = time.Since(r.queue[0].since)
		}
		r.mu.Unlock()
		rest := r.cfg.lingers(age, n-seen)
		if n == 0 || rest <= 0 {
			return
		}
		seen = n
		t := time.NewTimer(rest)
		select {
		case <-t.C:
		case <-r.hurry:
			t.Stop()
			return
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// commit carries a batch out, however many attempts that takes. It returns
// false if hard ended first.
func (r *Recorder) commit(hard context.Context, batch []*entry) bool {
	pause := r.cfg.RetryMin
	for attempt := 1; ; attempt++ {
		tried, ops := r.living(batch)
		results, err := r.attempt(hard, ops)
		if err == nil {
			r.settle(batch, tried, results, attempt > 1)
			return true
		}
		r.m.failures.Inc()
		r.log.Error("commit failed", "ops", len(ops), "attempt", attempt, "err", err)
		t := time.NewTimer(pause)
		select {
		case <-hard.Done():
			t.Stop()
			return false
		case <-t.C:
		}
		pause = min(2*pause, r.cfg.RetryMax)
	}
}

// living returns the ops that are still wanted and which entry each is of.
func (r *Recorder) living(batch []*entry) (tried []int, ops []Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried, ops = make([]int, 0, len(batch)), make([]Op, 0, len(batch))
	for i, e := range batch {
		if !e.leaving {
			tried, ops = append(tried, i), append(ops, e.op)
		}
	}
	return tried, ops
}

func (r *Recorder) attempt(hard context.Context, ops []Op) ([]Result, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(hard, r.cfg.CommitTimeout)
	defer cancel()
	began := time.Now()
	results, err := r.engine.Commit(ctx, ops)
	r.m.seconds.UpdateDuration(began)
	if err == nil {
		r.m.batch.Update(float64(len(ops)))
	}
	return results, err
}

// settle answers for a batch. Entries that were not tried were given up: they
// get the zero outcome, which nobody reads.
func (r *Recorder) settle(batch []*entry, tried []int, results []Result, retried bool) {
	outcomes := make([]outcome, len(batch))
	for k, i := range tried {
		outcomes[i] = outcome{results[k], retried}
		switch e, res := batch[i], results[k]; {
		case res.Err != nil:
			r.m.opErrors.Inc()
			r.log.Error("op failed", "kind", e.op.Kind, "err", res.Err)
		case e.op.Kind != OpRecord:
		case e.op.Record.Again > 0:
			if res.OK {
				r.m.again.Inc()
			}
		case res.OK:
			r.m.records.Inc()
		case !retried: // else it may be the one of the earlier attempt
			r.m.duplicates.Inc()
		}
	}
	r.finish(batch, func(i int) outcome { return outcomes[i] })
}
