package invoker

import (
	"context"
	"time"
)

const (
	// lookEvery is how often lines of waiting calls are looked at, and
	// sampleEvery how often the processors' load is asked for while calls run.
	lookEvery   = 10 * time.Millisecond
	sampleEvery = 100 * time.Millisecond

	// quietWait is how long a call waits for a sandbox of its action before its
	// router is told that it does. Shorter waits cost no messages; the price is
	// that the router cannot move the call meanwhile.
	quietWait = 20 * time.Millisecond

	// From crowdedFrom on the pool takes the processors for exhausted, until
	// their load is below crowdedTo.
	crowdedFrom = 0.9
	crowdedTo   = 0.75
)

// wake sees to it that watch comes round at least that often. The caller holds
// mu.
func (v *Invoker) wake(every time.Duration) {
	if v.pace > 0 && v.pace <= every {
		return
	}
	v.pace = every
	select {
	case v.awake <- struct{}{}:
	default:
	}
}

// watch looks at what only the passing of time changes, while calls run or
// wait: see pool.look.
func (v *Invoker) watch(ctx context.Context) {
	t := time.NewTimer(sampleEvery)
	t.Stop()
	defer t.Stop()
	var due, sampled time.Time
	late := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.awake:
			v.mu.Lock()
			pace := v.pace
			v.mu.Unlock()
			due = time.Now().Add(pace)
			t.Reset(pace)
			continue
		case <-t.C:
		}
		now := time.Now()
		share := -1.0
		if now.Sub(sampled) >= sampleEvery {
			share, sampled = v.share(), now
		}
		// When this comes late the machine stood still, and so did every
		// sandbox: that says nothing of the actions.
		late = !late && now.Sub(due) > lookEvery
		v.mu.Lock()
		v.observe(now, share, late)
		pace := v.pace
		v.unlock()
		if pace > 0 {
			due = now.Add(pace)
			t.Reset(pace)
		}
	}
}

// observe is one round of watch. The caller holds mu.
func (v *Invoker) observe(now time.Time, share float64, late bool) {
	switch {
	case share < 0:
	case share >= crowdedFrom:
		v.pool.crowded = true
	case share < crowdedTo:
		v.pool.crowded = false
	}
	if !late {
		v.pool.look(now)
		v.pump()
	}
	for _, g := range v.pool.waiting {
		for _, t := range g.line {
			if now.Sub(t.arrived) > quietWait {
				v.tellQueued(t.call)
			}
		}
	}
	switch {
	case v.pool.queued > 0:
		v.pace = lookEvery
	case v.running > 0:
		v.pace = sampleEvery
	default:
		v.pace = 0
	}
}
