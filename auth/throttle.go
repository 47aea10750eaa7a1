package auth

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// ThrottleConfig is a Throttle's.
type ThrottleConfig struct {
	Disabled bool         // let everything pass, count nothing
	Metrics  *metrics.Set // nil: a set of its own
}

// Throttle counts what each credential does, by its uuid: invocations and
// fires by the calendar minute, refused ones included, and activations that
// have not ended. Counters are split into shards, each with its own lock that is
// held for a few additions; those of a credential that did nothing in the
// present minute and has nothing in flight are dropped.
type Throttle struct {
	disabled bool
	seed     maphash.Seed
	m        throttleMetrics
	shards   [throttleShards]throttleShard
}

const throttleShards = 64

type throttleShard struct {
	mu     sync.Mutex // guards all below
	minute int64      // of the last sweep
	usage  map[string]*usage
}

// usage is one credential's.
type usage struct {
	minute      int64 // since the epoch; what the two counts are of
	invocations int64
	fires       int64
	inFlight    int64
}

// NewThrottle returns a Throttle that has counted nothing yet.
func NewThrottle(cfg ThrottleConfig) *Throttle {
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	return &Throttle{disabled: cfg.Disabled, seed: maphash.MakeSeed(), m: newThrottleMetrics(cfg.Metrics)}
}

// Invocation asks to invoke an action once. On success release must be called
// when the activation has ended; more calls of it do nothing. Errors are of kind
// [whisk.Throttled].
func (t *Throttle) Invocation(id *whisk.Identity) (release func(), err error) {
	if t.disabled {
		return func() {}, nil
	}
	s := t.shard(id.UUID)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use(id.UUID, time.Now())
	if err := t.charge(u, id); err != nil {
		return nil, err
	}
	return s.begin(u), nil
}

// Charge is the first half of Invocation, for who is not to be in flight before
// all of a request has come: it is refused where that would be.
func (t *Throttle) Charge(id *whisk.Identity) error {
	if t.disabled {
		return nil
	}
	s := t.shard(id.UUID)
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.charge(s.use(id.UUID, time.Now()), id)
}

// Begin is the other half of Invocation, which charges nothing: it is refused
// where too many are in flight.
func (t *Throttle) Begin(id *whisk.Identity) (release func(), err error) {
	if t.disabled {
		return func() {}, nil
	}
	s := t.shard(id.UUID)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use(id.UUID, time.Now())
	if err := t.admit(u, id); err != nil {
		return nil, err
	}
	return s.begin(u), nil
}

// charge counts an invocation, and says whether it may begin now. Like admit it
// is called with the shard's mu held.
func (t *Throttle) charge(u *usage, id *whisk.Identity) error {
	u.invocations++
	if allowed := id.Limits.InvocationsPerMinute; u.invocations > allowed {
		t.m.invocations.Inc()
		return perMinute(u.invocations, allowed)
	}
	return t.admit(u, id)
}

func (t *Throttle) admit(u *usage, id *whisk.Identity) error {
	if allowed := id.Limits.ConcurrentInvocations; u.inFlight >= allowed {
		t.m.concurrent.Inc()
		return whisk.Errorf(whisk.Throttled, "Too many concurrent requests in flight (count: %d, allowed: %d).", u.inFlight, allowed)
	}
	return nil
}

// begin is called with mu held.
func (s *throttleShard) begin(u *usage) (release func()) {
	u.inFlight++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		u.inFlight-- // in the map still: a sweep leaves those in flight
		s.mu.Unlock()
	})
}

// Fire asks to fire a trigger once. Errors are of kind [whisk.Throttled].
func (t *Throttle) Fire(id *whisk.Identity) error {
	if t.disabled {
		return nil
	}
	s := t.shard(id.UUID)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.use(id.UUID, time.Now())
	u.fires++
	if allowed := id.Limits.FiresPerMinute; u.fires > allowed {
		t.m.fires.Inc()
		return perMinute(u.fires, allowed)
	}
	return nil
}

func perMinute(count, allowed int64) error {
	return whisk.Errorf(whisk.Throttled, "Too many requests in the last minute (count: %d, allowed: %d).", count, allowed)
}

func (t *Throttle) shard(uuid string) *throttleShard {
	return &t.shards[maphash.String(t.seed, uuid)%throttleShards]
}

// use returns the counters of uuid, those of another minute set to nothing.
func (s *throttleShard) use(uuid string, now time.Time) *usage {
	minute := now.Unix() / 60
	if s.minute != minute {
		s.minute = minute
		for k, u := range s.usage {
			if u.inFlight == 0 && u.minute != minute {
				delete(s.usage, k)
			}
		}
	}
	u := s.usage[uuid]
	if u == nil {
		u = &usage{}
		if s.usage == nil {
			s.usage = map[string]*usage{}
		}
		s.usage[uuid] = u
	}
	if u.minute != minute {
		u.minute, u.invocations, u.fires = minute, 0, 0
	}
	return u
}
