package bench

import (
	"context"
	"fmt"
	"time"

	"hearth/client"
)

// idle watches a server that has nothing to do.
func (st *stage) idle(ctx context.Context, key, title string, srv *server, d time.Duration) error {
	rest := time.NewTimer(st.cfg.Settle)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	m := srv.meter()
	look := m.Watch(st.cfg.Watch(title))
	look(Progress{Planned: d})
	watch := time.NewTimer(d)
	defer watch.Stop()
	began := time.Now()
	select {
	case <-watch.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	res := &Result{Began: began, Elapsed: time.Since(began)}
	look(Progress{Planned: d, Elapsed: res.Elapsed, Done: true})
	if len(srv.procs) > 0 {
		m.Fill(res)
	}
	st.results[key] = append(st.results[key], res)
	return srv.alive()
}

// beside starts a neighbour's load; the function returned ends it.
func (st *stage) beside(ctx context.Context, c *Case, m *prepared) (stop func()) {
	n := *c
	n.neighbour, n.Payload = true, max(c.Beside.Payload, MinPayload)
	stop = func() {}
	p := &prepared{server: m.server, api: m.api}
	if err := st.create(ctx, p, &n, 0, 1); err != nil {
		st.cfg.Say("  no neighbour: " + err.Error())
		return stop
	}
	m.remove = append(m.remove, p.remove...)
	t, err := n.target(p, nil, nil)
	if err != nil {
		st.cfg.Say("  no neighbour: " + err.Error())
		return stop
	}
	load := Plan{Arrival: Closed, Concurrency: c.Beside.Concurrency, Duration: time.Hour}
	_ = st.settle(ctx, load, t) // what keeps it from a start would keep it from a load
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = Run(ctx, load, t, nil)
	}()
	return func() {
		cancel()
		<-done
		_ = t.Close()
	}
}

// drain waits until all calls have their records, and counts the time from the
// first submission on.
func (st *stage) drain(ctx context.Context, key string, m *prepared, began time.Time) error {
	rounds := st.results[key]
	res := rounds[len(rounds)-1]
	want, since := res.Completed, began.UnixMilli() // other cases may have called the same actions before
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for left := m.actions; ; {
		list, err := m.api.Activations(ctx, client.ActivationQuery{Name: left[0].Name, Since: since, Skip: int(want) - 1, Limit: 1})
		if err != nil {
			return fmt.Errorf("%d records: %w", want, err)
		}
		if len(list) > 0 {
			if left = left[1:]; len(left) == 0 {
				res.Elapsed = time.Since(began)
				return nil
			}
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d records of %s: %w", want, left[0].Name, ctx.Err())
		}
	}
}
