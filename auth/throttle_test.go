package auth

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func identity(uuid string, perMinute, fires, concurrent int64) *whisk.Identity {
	id := &whisk.Identity{UUID: uuid}
	id.Limits.InvocationsPerMinute, id.Limits.FiresPerMinute, id.Limits.ConcurrentInvocations = perMinute, fires, concurrent
	return id
}

func TestPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle(ThrottleConfig{})
		id, other := identity("a", 2, 1, 100), identity("b", 2, 1, 100)
		time.Sleep(59 * time.Second) // the bubble begins at midnight
		invoke := func(id *whisk.Identity, want string) {
			t.Helper()
			if _, err := th.Invocation(id); whisk.MessageOf(err) != want {
				t.Errorf("err = %v, want %q", err, want)
			} else if err != nil && whisk.KindOf(err) != whisk.Throttled {
				t.Errorf("kind = %v", whisk.KindOf(err))
			}
		}
		const text = "Too many requests in the last minute (count: %d, allowed: %d)."
		invoke(id, "")
		invoke(id, "")
		invoke(id, fmt.Sprintf(text, 3, 2))
		invoke(id, fmt.Sprintf(text, 4, 2)) // refusals count
		invoke(other, "")
		if err := th.Fire(id); err != nil {
			t.Errorf("fires are counted apart: %v", err)
		}
		if err := th.Fire(id); whisk.MessageOf(err) != fmt.Sprintf(text, 2, 1) {
			t.Errorf("fire: %v", err)
		}
		time.Sleep(time.Second) // a calendar minute, not a sliding one
		invoke(id, "")
		if err := th.Fire(id); err != nil {
			t.Error(err)
		}
		invoke(identity("none", 0, 0, 0), fmt.Sprintf(text, 1, 0))
	})
}

func TestConcurrent(t *testing.T) {
	th := NewThrottle(ThrottleConfig{})
	id := identity("a", 1000, 0, 2)
	r1, err1 := th.Invocation(id)
	_, err2 := th.Invocation(id)
	_, err3 := th.Invocation(id)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got, want := whisk.MessageOf(err3), "Too many concurrent requests in flight (count: 2, allowed: 2)."; got != want {
		t.Errorf("message = %q, want %q", got, want)
	}
	r1()
	r1() // once is enough
	if _, err := th.Invocation(id); err != nil {
		t.Error(err)
	}
	if _, err := th.Invocation(id); err == nil {
		t.Error("a release counted twice")
	}
}

// Charged in two steps, an invocation counts once, and is in flight from the
// second on.
func TestChargeAndBegin(t *testing.T) {
	th := NewThrottle(ThrottleConfig{})
	id := identity("a", 3, 0, 1)
	for range 2 { // nobody is in flight yet
		if err := th.Charge(id); err != nil {
			t.Fatal(err)
		}
	}
	release, err := th.Begin(id)
	if err != nil {
		t.Fatal(err)
	}
	const full = "Too many concurrent requests in flight (count: 1, allowed: 1)."
	if _, err := th.Begin(id); whisk.MessageOf(err) != full {
		t.Errorf("a second one: %v", err)
	}
	if err := th.Charge(id); whisk.MessageOf(err) != full {
		t.Errorf("a charge: %v", err)
	}
	release()
	release()
	if release, err = th.Begin(id); err != nil {
		t.Errorf("once it has ended: %v", err)
	}
	if err := th.Charge(id); whisk.MessageOf(err) != "Too many requests in the last minute (count: 4, allowed: 3)." {
		t.Errorf("a fourth charge: %v", err)
	}
	release()
}

func TestDisabled(t *testing.T) {
	th := NewThrottle(ThrottleConfig{Disabled: true})
	id := identity("a", 0, 0, 0)
	for range 3 {
		release, err := th.Invocation(id)
		if err != nil {
			t.Fatal(err)
		}
		release()
		if err := th.Fire(id); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStaleCountersAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle(ThrottleConfig{})
		busy, err := th.Invocation(identity("busy", 10, 10, 10))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			for i := range 2000 {
				_ = th.Fire(identity(fmt.Sprint(i, time.Now()), 10, 10, 10))
			}
			time.Sleep(time.Minute)
		}
		n := 0
		for i := range th.shards {
			n += len(th.shards[i].usage)
		}
		if n > 2001+2000 { // the last round, and shards that none came to since
			t.Errorf("%d counters are left", n)
		}
		busy()
		s := th.shard("busy")
		if u := s.usage["busy"]; u == nil || u.inFlight != 0 {
			t.Errorf("usage of one in flight = %+v", u)
		}
	})
}

// The throttle against the plainest model of it.
func TestThrottleModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			th := NewThrottle(ThrottleConfig{})
			type state struct{ minute, count, flying int64 }
			model := map[string]*state{"a": {}, "b": {}}
			var releases []func()
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				uuid := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "uuid")
				m := model[uuid]
				switch rapid.IntRange(0, 3).Draw(rt, "step") {
				case 0:
					time.Sleep(time.Duration(rapid.IntRange(1, 50).Draw(rt, "seconds")) * time.Second)
				case 1:
					if len(releases) > 0 {
						releases[0]()
						releases = releases[1:]
					}
				default:
					if now := time.Now().Unix() / 60; m.minute != now {
						m.minute, m.count = now, 0
					}
					m.count++
					release, err := th.Invocation(identity(uuid, 5, 0, 3))
					if want := m.count <= 5 && m.flying < 3; (err == nil) != want {
						rt.Fatalf("%s at %+v: err = %v, want allowed %v", uuid, *m, err, want)
					}
					if err == nil {
						m.flying++
						releases = append(releases, func() { release(); m.flying-- })
					}
				}
			}
		})
	})
}

func TestThrottleRace(t *testing.T) {
	th := NewThrottle(ThrottleConfig{})
	id := identity("a", 1<<40, 0, 4)
	var mu sync.Mutex
	flying, worst := 0, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				release, err := th.Invocation(id)
				if err != nil {
					continue
				}
				mu.Lock()
				flying++
				worst = max(worst, flying)
				mu.Unlock()
				mu.Lock()
				flying--
				mu.Unlock()
				release()
			}
		})
	}
	wg.Wait()
	if worst > 4 || th.shard("a").usage["a"].inFlight != 0 {
		t.Errorf("%d at once, %d left", worst, th.shard("a").usage["a"].inFlight)
	}
}
