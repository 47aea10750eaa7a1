package flow

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestWindow(t *testing.T) {
	w := newWindow(100)
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"begins low", func() {}, 8},
		{"unused", func() { w.success(7) }, 8},
		{"used", func() { w.success(8) }, 9},
		{"busy", func() { w.busy(0) }, 4},
		{"refused together", func() { w.busy(0) }, 4},
		{"busy again", func() { w.busy(1) }, 2},
		{"careful", func() { w.success(2) }, 2},
		{"all of them", func() { w.success(2) }, 3},
		{"and again", func() { w.busy(2); w.busy(3); w.busy(4) }, 1},
		{"anew", func() { w.success(1) }, 2},
		{"as fast", func() { w.success(2); w.success(3) }, 4},
		{"bounded", func() {
			for range 500 {
				w.success(1000)
			}
		}, 100},
		{"half", func() { w.busy(5) }, 50},
		{"an eighth", func() {
			for range 50 {
				w.success(1000)
			}
		}, 56},
	} {
		if step.do(); w.limit != step.want {
			t.Errorf("%s: limit = %d, want %d", step.name, w.limit, step.want)
		}
	}
	if small := newWindow(3); small.limit != 3 {
		t.Errorf("limit = %d of at most 3", small.limit)
	}
}

func TestBacklogTurns(t *testing.T) {
	b := newBacklog()
	for _, s := range []string{"a1", "a2", "a3", "b1", "c1", "c2"} {
		b.push(&item{ns: whisk.Namespace(s[:1]), payload: []byte(s)})
	}
	got := ""
	for it := b.pop(false); it != nil; it = b.pop(false) {
		got += string(it.payload) + " "
	}
	if want := "a1 b1 c1 a2 c2 a3 "; got != want {
		t.Errorf("order = %s, want %s", got, want)
	}
}

func TestBacklogRest(t *testing.T) {
	t0 := time.Unix(1000, 0)
	b := newBacklog()
	first, second := &item{ns: "a", created: t0, size: 3}, &item{ns: "a", created: t0.Add(time.Minute), size: 4}
	b.rest(second, t0.Add(2*time.Second))
	b.rest(first, t0.Add(time.Second))
	if next := b.rouse(t0); !next.Equal(t0.Add(time.Second)) || b.pop(false) != nil {
		t.Errorf("next = %v", next)
	}
	b.hurry(t0)
	if next := b.rouse(t0); !next.Equal(t0.Add(2*time.Second)) || b.pop(false) != first {
		t.Errorf("next = %v after hurry", next)
	}
	if old := b.expired(t0.Add(time.Hour)); len(old) != 1 || old[0] != second || b.rows != 0 || b.bytes != 0 {
		t.Errorf("expired = %v, %d rows and %d bytes left", old, b.rows, b.bytes)
	}
}

// The backlog's counts against a recount, its turns against fairness.
func TestBacklogModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBacklog()
		now := time.Unix(1000, 0)
		in := map[*item]bool{}
		waited := map[laneKey]int{} // turns of others of its sort since a lane's last
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1:
				it := &item{
					ns:      whisk.Namespace(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "ns")),
					size:    rapid.Int64Range(1, 9).Draw(t, "size"),
					created: now, composite: rapid.Bool().Draw(t, "composite"),
				}
				in[it] = true
				if rapid.Bool().Draw(t, "front") {
					b.pushFront(it)
				} else {
					b.push(it)
				}
			case 2:
				sort := rapid.Bool().Draw(t, "sort")
				it := b.pop(sort)
				if it == nil {
					continue
				}
				if !in[it] || it.composite != sort {
					t.Fatal("an item twice, or of another sort")
				}
				waited[laneKey{it.ns, sort}] = 0
				for k := range b.lanes {
					if k.ns != it.ns && k.composite == sort {
						if waited[k]++; waited[k] > 3 {
							t.Fatalf("%v waited for %d turns", k, waited[k])
						}
					}
				}
				if rapid.Bool().Draw(t, "rest") {
					b.rest(it, now.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "due"))*time.Second))
				} else {
					delete(in, it)
				}
			case 3:
				now = now.Add(time.Second)
				b.rouse(now)
			case 4:
				b.hurry(now)
			case 5:
				for _, it := range b.expired(now.Add(-10 * time.Second)) {
					if !in[it] || now.Sub(it.created) <= 10*time.Second {
						t.Fatal("expired before its time")
					}
					delete(in, it)
				}
			}
			for k := range waited {
				if b.lanes[k] == nil {
					delete(waited, k)
				}
			}
			b.check(t, in)
		}
	})
}

// check recounts.
func (b *backlog) check(t *rapid.T, in map[*item]bool) {
	var bytes int64
	for it := range in {
		bytes += it.size
	}
	if b.rows != len(in) || b.bytes != bytes {
		t.Fatalf("%d rows, %d bytes, want %d, %d", b.rows, b.bytes, len(in), bytes)
	}
	for k, l := range b.lanes {
		if l.items.Len() == 0 {
			t.Fatalf("lane %v is empty", k)
		}
	}
}
