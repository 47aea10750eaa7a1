package router

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestWaitingBounds(t *testing.T) {
	q := newWaiting(2, 100)
	a, b := q.enter(60), q.enter(40)
	if a == nil || b == nil || q.enter(0) != nil {
		t.Fatal("want two, and not a third")
	}
	q.leave(b)
	if q.enter(41) != nil {
		t.Error("takes more bytes than it may")
	}
	if q.enter(40) == nil {
		t.Error("room was not given back")
	}
}

func TestWakeOrder(t *testing.T) {
	q := newWaiting(9, 9)
	a, b := q.enter(1), q.enter(1)
	q.wake(maxPasses, 0)
	passes := <-a.woken
	q.again(a) // found no room
	if !q.first(a) {
		t.Error("lost its place")
	}
	q.wake(passes, a.seq)
	if got := <-b.woken; got != maxPasses-2 {
		t.Errorf("passes = %d, want %d", got, maxPasses-2)
	}
	q.wake(1, 0)
	if got := q.leave(a); got != 0 {
		t.Errorf("unused passes = %d", got)
	}
	if q.count.Load() != 0 || q.bytes != 0 {
		t.Errorf("left: %d calls, %d bytes", q.count.Load(), q.bytes)
	}
}

// Whatever happens in whatever order, counts and bytes agree with the list.
func TestWaitingConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newWaiting(5, 50)
		var out []*waiter // woken
		in := map[*waiter]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				if w := q.enter(rapid.Int64Range(0, 20).Draw(t, "bytes")); w != nil {
					in[w] = true
				}
			},
			"wake": func(*rapid.T) {
				q.wake(2, 0)
				for w := range in {
					select {
					case <-w.woken:
						out = append(out, w)
						delete(in, w)
					default:
					}
				}
			},
			"again": func(*rapid.T) {
				for _, w := range out {
					q.again(w)
					in[w] = true
				}
				out = nil
			},
			"leave": func(*rapid.T) {
				for w := range in {
					q.leave(w)
					delete(in, w)
					return
				}
			},
			"": func(t *rapid.T) {
				var bytes int64
				var last uint64
				for e := q.calls.Front(); e != nil; e = e.Next() {
					w := e.Value.(*waiter)
					bytes += w.bytes
					if w.seq <= last {
						t.Fatal("out of order")
					}
					last = w.seq
				}
				if bytes != q.bytes || q.calls.Len() != len(in) || int(q.count.Load()) != len(in) {
					t.Fatalf("list %d calls %d bytes; counted %d, %d; want %d", q.calls.Len(), bytes, q.count.Load(), q.bytes, len(in))
				}
			},
		})
	})
}

// A waiting call is woken by one that ends, and by an invoker that joins.
func TestWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		room := 1
		f := &fake{call: func(_ *fake, c *whisk.Call, reply func(whisk.Reply)) error {
			mu.Lock()
			defer mu.Unlock()
			if room == 0 {
				reply(whisk.Reply{Kind: whisk.Busy})
				return nil
			}
			room--
			go func() {
				time.Sleep(3 * time.Second)
				mu.Lock()
				room++
				mu.Unlock()
				reply(done(c))
			}()
			return nil
		}}
		s := &store{}
		r := newRouter(t, s, f)
		r.cfg.RetryEvery = time.Hour
		begun := time.Now()
		var took [3]time.Duration
		var errs [3]error
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				_, errs[i] = r.Invoke(t.Context(), newCall(), 5*time.Second)
				took[i] = time.Since(begun)
			})
			synctest.Wait()
		}
		wg.Wait()
		// The third would have to wait 6 s for its start.
		if errs[0] != nil || errs[1] != nil || !errors.Is(errs[2], whisk.ErrOverloaded) {
			t.Errorf("errors = %v", errs)
		}
		if want := [3]time.Duration{3 * time.Second, 6 * time.Second, 5 * time.Second}; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
		// Three offers, then the second call's after the first ended, then one
		// more on the third's behalf.
		if got := f.calls[3].Waited; got != 3*time.Second {
			t.Errorf("waited %v, want 3s", got)
		}

		mu.Lock()
		room = 0
		mu.Unlock()
		wg.Go(func() {
			if _, err := r.Invoke(t.Context(), newCall(), 5*time.Second); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		g := &fake{id: "late", call: answerDone}
		r.Join(g.hello(), g)
		wg.Wait()
	})
}

func TestWaitingFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRouter(t, &store{}, &fake{call: answerBusy})
		r.waiting.maxCalls = 1
		var wg sync.WaitGroup
		begun := time.Now()
		wg.Go(func() { r.Invoke(t.Context(), newCall(), 5*time.Second) })
		synctest.Wait()
		if _, err := r.Invoke(t.Context(), newCall(), 5*time.Second); !errors.Is(err, whisk.ErrOverloaded) || time.Since(begun) != 0 {
			t.Errorf("got %v after %v, want overloaded at once", err, time.Since(begun))
		}
		wg.Wait()
	})
}
