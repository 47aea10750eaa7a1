package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// engine carries out one plan. The fields below pace are its state.
type engine struct {
	plan   Plan
	target Target
	pace   pacer
	record *recorder
	began  time.Time // the end of the warm-up

	seq      atomic.Int64 // requests sent
	answered atomic.Int64 // of those, warm-up included
	failed   atomic.Int64
	counted  atomic.Int64 // closed loop: measured requests begun

	stopped   atomic.Bool // nothing more is to be sent
	stop      context.CancelFunc
	throttled atomic.Bool
	counting  atomic.Bool // the count was reached before the time

	// Open loop. Whoever holds the lead's token owns the backlog, waits for
	// the next request to be due, passes the token on and sends it.
	lead         chan struct{}
	backlog      *backlog
	backlogBound int
	idle         atomic.Int64
	clients      sync.WaitGroup
	started      int // by the holder of the token
}

func newEngine(p Plan, t Target, pace pacer) *engine {
	if p.Concurrency == 0 {
		p.Concurrency = defaultConcurrency
	}
	return &engine{plan: p, target: t, pace: pace, record: newRecorder(p), lead: make(chan struct{}, 1), backlogBound: maxBacklog}
}

func (e *engine) now() time.Duration { return time.Since(e.began) }

// run has the clients work and shows progress until they are done.
func (e *engine) run(ctx context.Context, watch func(Progress)) (*Result, error) {
	sending, stop := context.WithCancel(ctx)
	defer stop()
	e.stop = stop
	defer context.AfterFunc(sending, func() { e.stopped.Store(true) })()

	if e.plan.Warmup == 0 {
		watch(Progress{Planned: e.plan.Duration, Wanted: e.plan.Count})
	}
	e.began = time.Now().Add(e.plan.Warmup)
	if e.plan.Arrival == Closed {
		for range e.plan.Concurrency {
			e.clients.Go(func() { e.closedClient(ctx) })
		}
	} else {
		e.backlog = newBacklog(newSchedule(e.plan), e.backlogBound)
		e.started = 1
		e.clients.Go(func() { e.openClient(ctx, sending) })
		e.lead <- struct{}{}
	}
	done := make(chan struct{})
	go func() {
		e.clients.Wait()
		close(done)
	}()
	e.watch(done, watch)
	return e.finish(ctx)
}

// closedClient sends a request when its last was answered.
func (e *engine) closedClient(ctx context.Context) {
	b := e.record.newBatch(e.plan.Concurrency)
	defer b.flush()
	for !e.stopped.Load() {
		begin := e.now()
		if e.plan.Duration > 0 && begin >= e.plan.Duration {
			return
		}
		if begin >= 0 && e.plan.Count > 0 {
			if n := e.counted.Add(1); n > e.plan.Count {
				e.counting.Store(true)
				return
			}
		}
		e.hit(ctx, b, begin, begin, e.seq.Add(1)-1)
	}
}

// openClient takes turns with the others in leading.
func (e *engine) openClient(ctx, sending context.Context) {
	b := e.record.newBatch(e.plan.Concurrency)
	defer b.flush()
	for {
		e.idle.Add(1)
		select {
		case <-e.lead:
		case <-sending.Done():
			return
		}
		e.idle.Add(-1)
		due, ok := e.nextDue(sending)
		if !ok {
			e.lead <- struct{}{} // the others see the end as well
			return
		}
		seq := e.seq.Add(1) - 1
		if e.idle.Load() == 0 && e.started < e.plan.Concurrency {
			e.started++
			e.clients.Go(func() { e.openClient(ctx, sending) })
		}
		e.lead <- struct{}{}
		e.hit(ctx, b, due, e.now(), seq)
	}
}

// nextDue waits until a request is due. It is false when none is left, or
// nothing is to be sent any more.
func (e *engine) nextDue(sending context.Context) (time.Duration, bool) {
	for !e.stopped.Load() {
		due, wait, ok := e.backlog.take(e.now())
		if wait <= 0 {
			return due, ok
		}
		e.pace.sleep(sending, wait)
	}
	return 0, false
}

func (e *engine) hit(ctx context.Context, b *batch, due, sent time.Duration, seq int64) {
	h := e.target.Do(ctx, seq)
	end := e.now()
	if h.Class != "" {
		if ctx.Err() != nil {
			e.answered.Add(1)
			return // interrupted by us
		}
		if h.Class == ClassThrottled {
			e.throttled.Store(true)
			e.stopped.Store(true)
			e.stop()
		}
		if due >= 0 {
			e.failed.Add(1)
		}
	}
	e.answered.Add(1)
	b.add(sample{due: due, sent: sent, end: end, hit: h})
}

// watchEvery is the time between two shows of progress.
const watchEvery = 250 * time.Millisecond

// watch shows progress at the measurement's begin, now and then, and when done.
func (e *engine) watch(done <-chan struct{}, show func(Progress)) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	begin := time.NewTimer(time.Until(e.began))
	defer begin.Stop()
	if e.plan.Warmup == 0 {
		begin.Stop() // shown before the clients started
	}
	v := view{engine: e, warming: e.plan.Warmup > 0, lastAt: -e.plan.Warmup}
	for {
		select {
		case <-begin.C:
			v.warming, v.base = false, e.answered.Load()
			show(v.progress(false))
		case <-tick.C:
			show(v.progress(false))
		case <-done:
			show(v.progress(true))
			return
		}
	}
}

// view is what the one who watches an engine remembers.
type view struct {
	*engine
	warming bool
	base    int64         // answered when the measurement began
	last    int64         // answered at the last look
	lastAt  time.Duration // when that was
}

func (v *view) progress(done bool) Progress {
	now, n := v.now(), v.answered.Load()
	p := Progress{
		Warming: v.warming, Done: done, InFlight: int(max(v.seq.Load()-n, 0)),
		Elapsed: now, Planned: v.plan.Duration, Count: n - v.base, Wanted: v.plan.Count, Failed: v.failed.Load(),
	}
	if v.warming {
		p.Elapsed, p.Planned, p.Wanted = now+v.plan.Warmup, v.plan.Warmup, 0
	}
	if now > v.lastAt {
		p.Rate = float64(n-v.last) / (now - v.lastAt).Seconds()
	}
	v.last, v.lastAt = n, now
	return p
}

// finish settles the result when all clients are gone.
func (e *engine) finish(ctx context.Context) (*Result, error) {
	res := e.record.result
	res.Began = e.began
	var err error
	switch {
	case e.throttled.Load():
		err = ErrThrottled
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	res.Elapsed = e.record.last
	if e.backlog != nil {
		if n := e.backlog.overflow; n > 0 {
			res.Errors[ClassOverflow] += n
			res.Count += n
		}
		e.counting.Store(e.plan.Count > 0 && e.backlog.arrivals.i >= e.plan.Count)
	}
	if e.plan.Duration > 0 && err == nil && !e.counting.Load() {
		res.Elapsed = e.plan.Duration
	}
	return res, err
}
