package bench

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"hearth/client"
)

// Quick runs are for seeing that all works.
const (
	quickActions = 4
	quickCount   = 8
	quickRate    = 100
	quickClients = 8
)

// seed gives each round its own arrivals, the same ones in each run.
func (s *Suite) seed(round int) uint64 { return s.cfg.Seed + uint64(round)*1_000_003 }

// measure measures a case's floors and then the case, once.
func (st *stage) measure(ctx context.Context, c *Case, round int) error {
	if st.skipped[c.Name] != "" {
		return nil
	}
	plan, reason := st.plan(c, round)
	if reason != "" {
		st.skipped[c.Name] = reason
		return nil
	}
	if name, ok := cutFloor(c.On); ok {
		return st.measureFloor(ctx, c, name, plan, round)
	}
	srv, reason, err := st.server(ctx, c.Server)
	if err != nil {
		return err
	}
	if reason != "" {
		st.skipped[c.Name] = reason
		return nil
	}
	for _, name := range c.floorsOf() {
		if !isLocal(srv.url) || c.Do == DoIdle {
			break // nothing here compares
		}
		if err := st.measureFloor(ctx, c, name, plan, round); err != nil {
			return err
		}
	}
	return st.measureServer(ctx, c, srv, plan, round)
}

// plan returns the case's plan for a round. A reason says why there is none.
func (st *stage) plan(c *Case, round int) (Plan, string) {
	l := c.Load
	if st.cfg.Quick {
		l.Count, l.Concurrency = min(l.Count, quickCount), min(l.Concurrency, quickClients)
	}
	if r := l.RateOf; r != nil {
		of := st.results["case "+r.Case]
		if len(of) <= round || of[round].Throughput() == 0 {
			return Plan{}, fmt.Sprintf("needs the rate of %q, which was not measured", r.Case)
		}
		l.Rate = of[round].Throughput() * r.Times
		if st.cfg.Quick {
			l.Rate = min(l.Rate, quickRate)
		}
	}
	p := l.plan(st.cfg.Duration, st.cfg.Warmup, st.seed(round))
	if c.Do == DoCold || c.queues() || c.Trace != nil {
		p.Warmup = 0
	}
	return p, ""
}

// measureFloor puts a case's load on a floor.
func (st *stage) measureFloor(ctx context.Context, c *Case, name string, plan Plan, round int) error {
	f, err := st.floor(ctx, name)
	if err != nil {
		return err
	}
	key := "floor " + name + " under " + c.Name
	if name, ok := cutFloor(c.On); ok && name != "" {
		key = "case " + c.Name
	}
	m := st.ready[key]
	if m == nil {
		m = &prepared{server: f}
		t, err := c.floorTarget(f.url)
		if err != nil {
			return err
		}
		m.targets = []*HTTPTarget{t}
		st.ready[key] = m
		if c.Do != DoCold {
			if err := st.settle(ctx, plan, t); err != nil {
				return err
			}
		}
	}
	return st.run(ctx, key, fmt.Sprintf("  floor %-12s %s", name, c.Name), f, plan, m.targets[0])
}

// measureServer puts a case's load on its server.
func (st *stage) measureServer(ctx context.Context, c *Case, srv *server, plan Plan, round int) error {
	key, title := "case "+c.Name, "  hearth             "+c.Name
	if c.Do == DoIdle {
		return st.idle(ctx, key, title, srv, plan.Duration)
	}
	m, calls, err := st.prepare(ctx, c, srv, plan, round)
	switch refused := client.StatusOf(err); {
	case refused == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %w", ErrThrottled, err)
	case refused >= 400 && refused < 500:
		st.skipped[c.Name] = "needs what the server refuses: " + err.Error()
		return nil
	case err != nil:
		return err
	}
	if c.Trace != nil {
		plan.Trace = make([]time.Duration, len(calls))
		for i := range calls {
			plan.Trace[i] = calls[i].at
		}
	}
	defer st.profile(ctx, c, srv, plan, round)()
	if c.Beside != nil {
		defer st.beside(ctx, c, m)()
	}
	began := time.Now()
	if err := st.run(ctx, key, title, srv, plan, m.targets[0]); err != nil {
		return err
	}
	if c.drains() {
		return st.drain(ctx, key, m, began)
	}
	return nil
}

// run carries out a plan and keeps the result.
func (st *stage) run(ctx context.Context, key, title string, srv *server, plan Plan, t Target) error {
	m := srv.meter()
	res, err := Run(ctx, plan, t, m.Watch(st.cfg.Watch(title)))
	if err != nil {
		return err
	}
	if len(srv.procs) > 0 {
		m.Fill(res)
	}
	st.results[key] = append(st.results[key], res)
	return srv.alive()
}

// settle loads a target before its first round, so that code is compiled,
// sandboxes are warm and connections open.
func (st *stage) settle(ctx context.Context, plan Plan, t Target) error {
	if st.cfg.Settle == 0 {
		return nil
	}
	p := Plan{Arrival: Closed, Concurrency: 4, Duration: st.cfg.Settle}
	if plan.Arrival == Closed {
		p.Concurrency = plan.Concurrency
	}
	_, err := Run(ctx, p, t, nil)
	return err
}

// prepare makes a case's actions and target: once, but for cold starts, which
// need new actions each time, and traces, which differ from round to round.
func (st *stage) prepare(ctx context.Context, c *Case, srv *server, plan Plan, round int) (*prepared, []traceCall, error) {
	key := "case " + c.Name
	m := st.ready[key]
	fresh := m == nil
	if fresh {
		m = &prepared{server: srv}
		st.ready[key] = m
		var err error
		if m.api, err = srv.client(st.cfg.Insecure); err != nil {
			return nil, nil, err
		}
	}
	if !fresh && c.Do != DoCold && c.Trace == nil {
		return m, nil, nil
	}
	n := c.Actions
	if c.Trace != nil {
		n = c.Trace.Functions
	}
	if st.cfg.Quick {
		n = min(n, quickActions)
	}
	if c.Do == DoCold {
		n = int(plan.Count)
	}
	if c.Do != DoAPI && (fresh || c.Do == DoCold) {
		if err := st.create(ctx, m, c, round*n, n); err != nil {
			return nil, nil, err
		}
	}
	pick, busy := Zipf(n, c.Zipf, st.cfg.Seed), (func(int64) float64)(nil)
	if c.Do == DoCold {
		pick = nil
	}
	var calls []traceCall
	if c.Trace != nil {
		laws := *c.Trace
		laws.Functions = n
		calls = laws.calls(plan.Duration, st.seed(round))
		pick = func(seq int64) int { return calls[seq%int64(len(calls))].function }
		busy = func(seq int64) float64 { return calls[seq%int64(len(calls))].ms }
	}
	if c.Do == DoFire {
		if err := st.trigger(ctx, m); err != nil {
			return nil, nil, err
		}
	}
	t, err := c.target(m, pick, busy)
	if err != nil {
		return nil, nil, err
	}
	m.targets = append([]*HTTPTarget{t}, m.targets...)
	if c.Do == DoCold || c.Trace != nil {
		return m, calls, nil
	}
	if (c.Do == DoInvoke || c.Do == DoFire) && c.Zipf == 0 {
		if err := st.touch(ctx, m); err != nil {
			return nil, nil, err
		}
	}
	if c.queues() {
		return m, nil, nil
	}
	return m, nil, st.settle(ctx, plan, t)
}
