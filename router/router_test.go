package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Config)
		ok   bool
	}{
		{"default", func(*Config) {}, true},
		{"no queue", func(c *Config) { c.WaitingCalls = 0 }, true},
		{"negative queue", func(c *Config) { c.WaitingBytes = -1 }, false},
		{"no tries", func(c *Config) { c.Tries = 0 }, false},
		{"too many tries", func(c *Config) { c.Tries = maxTries + 1 }, false},
		{"no deadline", func(c *Config) { c.StartGrace = 0 }, false},
		{"nobody comes later", func(c *Config) { c.AbsentAfter = 0 }, true},
		{"negative absence", func(c *Config) { c.AbsentAfter = -1 }, false},
	} {
		cfg := DefaultConfig()
		tt.edit(&cfg)
		if err := cfg.Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestMembership(t *testing.T) {
	r := newRouter(t, &store{}, &fake{}, &fake{})
	h := whisk.Hello{ID: "py", Runtimes: []whisk.Runtime{{Kind: "python:3"}, {Kind: "nodejs:20"}}, Images: []string{"z"}}
	r.Join(h, &fake{})
	kinds := func() (ks []string) {
		for _, rt := range r.Runtimes() {
			ks = append(ks, rt.Kind)
		}
		return ks
	}
	if got := kinds(); !slices.Equal(got, []string{"nodejs:20", "python:3"}) {
		t.Errorf("kinds = %v", got)
	}
	if got := r.Images(); !slices.Equal(got, []string{"image-of-a", "image-of-b", "z"}) {
		t.Errorf("images = %v", got)
	}
	if got := r.Hellos(); len(got) != 3 || got[2].ID != "py" {
		t.Errorf("hellos = %v", got)
	}
	r.Leave("py")
	r.Leave("nobody")
	if got := kinds(); !slices.Equal(got, []string{"nodejs:20"}) {
		t.Errorf("kinds after leaving = %v", got)
	}
}

func TestCandidates(t *testing.T) {
	type inv struct {
		share    float64
		kind     string
		draining bool
	}
	node := "nodejs:20"
	for _, tt := range []struct {
		name string
		invs []inv // in ring order
		n    int
		want []int
	}{
		{"none", nil, 16, nil},
		{"quiet: ring order", []inv{{0.6, node, false}, {0, node, false}, {0.1, node, false}}, 16, []int{0, 1, 2}},
		{"over its bound comes last", []inv{{0.9, node, false}, {0.2, node, false}, {0.8, node, false}}, 16, []int{1, 0, 2}},
		{"all full: home first", []inv{{1, node, false}, {1, node, false}}, 16, []int{0, 1}},
		{"alone: always", []inv{{3, node, false}}, 16, []int{0}},
		{"draining", []inv{{0, node, true}, {0, node, false}}, 16, []int{1}},
		{"other kind", []inv{{0, "go:1.22", false}, {0, node, false}}, 16, []int{1}},
		{"other kinds do not count in the mean", []inv{{0.9, node, false}, {0, "go:1.22", false}, {0.8, node, false}}, 16, []int{0, 2}},
		{"first two", []inv{{0.1, node, false}, {0.1, node, false}, {0, node, false}}, 2, []int{0, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fakes := make([]*fake, len(tt.invs))
			for i := range fakes {
				fakes[i] = &fake{}
			}
			r := newRouter(t, &store{}, fakes...)
			for i, v := range tt.invs {
				h := fakes[i].hello()
				h.Runtimes = []whisk.Runtime{{Kind: v.kind}}
				h.Load = whisk.Load{CapacityMB: 1000, UsedMB: int64(v.share * 1000), Draining: v.draining}
				r.Join(h, fakes[i])
			}
			c := newCall()
			var got []int
			for _, m := range r.view.Load().candidates(nil, c.Target, c.Target.Name.Path(), time.Now(), tt.n) {
				got = append(got, slices.Index(fakes, m.invoker.(*fake)))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("candidates = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestShare(t *testing.T) {
	now := time.Now()
	m := &member{}
	m.learn(whisk.Load{CapacityMB: 1000, UsedMB: 500}, now)
	m.learn(whisk.Load{}, now) // made up by a transport: says nothing
	for _, tt := range []struct {
		hold int64
		at   time.Duration
		want float64
	}{{0, 0, 0.5}, {800, 0, 0.8}, {0, loadAge, 0.8}, {-800, loadAge, 0}} {
		m.hold(tt.hold)
		if got, _ := m.share(now.Add(tt.at)); got != tt.want {
			t.Errorf("share = %v, want %v", got, tt.want)
		}
	}
}

func TestBlackboxImage(t *testing.T) {
	h := &whisk.Hello{Images: []string{"a"}, Runtimes: []whisk.Runtime{{Kind: "blackbox"}}}
	for image, want := range map[string]bool{"a": true, "b": false} {
		if got := offers(h, &whisk.Target{Exec: whisk.Exec{Kind: whisk.Blackbox, Image: image}}); got != want {
			t.Errorf("offers %q = %v", image, got)
		}
	}
}

// Calls that need the same code at once share one fetch.
func TestCodeFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := newRouter(t, s)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if b, err := r.code(t.Context(), whisk.Digest{1}); err != nil || string(b) != "code" {
					t.Errorf("got %q, %v", b, err)
				}
			})
		}
		wg.Wait()
		if s.fetched != 1 {
			t.Errorf("fetched %d times, want 1", s.fetched)
		}
	})
}

func TestCollect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		f, g := &fake{}, &fake{}
		r := newRouter(t, s, f, g)
		r.cfg.CollectBatch = 10
		for range 25 {
			f.journal = append(f.journal, finished(newCall()))
		}
		g.journal = append(g.journal, finished(newCall()))
		if err := r.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(s.records) != 26 || len(f.journal) != 0 || len(g.journal) != 0 {
			t.Errorf("stored %d, left %d and %d", len(s.records), len(f.journal), len(g.journal))
		}
		s.refuse = errors.New("full")
		f.journal = append(f.journal, finished(newCall()))
		if err := r.Collect(t.Context()); err != nil || len(f.journal) != 1 {
			t.Errorf("full store: %v, left %d", err, len(f.journal))
		}
	})
}

// stubborn never forgets: an invoker whose Ack is lost must not be asked for ever.
type stubborn struct{ *fake }

func (stubborn) Ack(...whisk.ActivationID) {}

func TestCollectEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter(t, &store{})
		f := &fake{id: "a", journal: []*whisk.Activation{nil, finished(newCall())}}
		r.Join(f.hello(), stubborn{f})
		if err := r.Collect(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRunCollects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := newRouter(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		f := &fake{id: "a", journal: []*whisk.Activation{finished(newCall())}}
		r.Join(f.hello(), f)
		synctest.Wait()
		if len(s.records) != 1 {
			t.Errorf("stored %d at the join, want 1", len(s.records))
		}
		f.mu.Lock()
		f.journal = append(f.journal, finished(newCall()))
		f.mu.Unlock()
		time.Sleep(r.cfg.CollectEvery)
		synctest.Wait()
		if len(s.records) != 2 {
			t.Errorf("stored %d after a while, want 2", len(s.records))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Many calls over a flaky mesh: each ends in exactly one record or never
// started.
func TestConservation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		var mu sync.Mutex
		ran := map[whisk.ActivationID]int{}
		n := 0
		flaky := func(f *fake, c *whisk.Call, reply func(whisk.Reply)) error {
			mu.Lock()
			n++
			k := n % 7
			mu.Unlock()
			run := func() {
				mu.Lock()
				ran[c.ID]++
				mu.Unlock()
			}
			switch k {
			case 0:
				return errors.New("refused")
			case 1, 2:
				reply(whisk.Reply{Kind: whisk.Busy})
			case 3:
				reply(whisk.Reply{Kind: whisk.Queued})
				go func() {
					time.Sleep(time.Second)
					reply(whisk.Reply{Kind: whisk.Lost})
				}()
			case 4:
				run()
				reply(whisk.Reply{Kind: whisk.Lost})
			default:
				go func() {
					time.Sleep(time.Millisecond)
					run()
					reply(done(c))
				}()
			}
			return nil
		}
		r := newRouter(t, s, &fake{call: flaky}, &fake{call: flaky}, &fake{call: flaky})
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				c := newCall()
				c.Target.Name.Name = fmt.Sprint(i % 10)
				rec, err := r.Invoke(t.Context(), c, 5*time.Second)
				stored, _ := s.Activation(t.Context(), "", c.ID)
				mu.Lock()
				defer mu.Unlock()
				if ran[c.ID] > 1 || (err == nil) != (stored != nil) || rec != stored || err != nil && ran[c.ID] > 0 {
					t.Errorf("ran %d times, record %v, stored %v, %v", ran[c.ID], rec, stored, err)
				}
			})
		}
		wg.Wait()
	})
}
