package invoker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func keyNamed(name string) warmKey {
	return warmKey{namespace: "guest", action: whisk.ActionName{Namespace: "guest", Name: name}}
}

func TestPoolKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPoolModel(t)
		t.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"arrive":    m.arrive,
			"finish":    m.finish,
			"fail":      m.fail,
			"give back": m.giveBack,
			"cancel":    m.cancel,
			"gone":      m.gone,
			"expire":    m.expire,
			"time": func(t *rapid.T) {
				m.pass(t, time.Duration(rapid.SampledFrom([]int{1, 10, 100, 1000, 90000}).Draw(t, "ms"))*time.Millisecond)
			},
		})
		m.finishAll(t)
	})
}

func TestVictimsAreWorthLeast(t *testing.T) {
	now := time.Unix(1e9, 0)
	type box struct {
		mb, costMS, idleS int64
		uses              float64
	}
	for _, c := range []struct {
		name  string
		boxes []box
		need  int64
		want  string
	}{
		{"rarely used goes first", []box{{128, 100, 1, 9}, {128, 100, 1, 1}}, 100, "[2]"},
		{"cheap to make goes first", []box{{128, 900, 1, 1}, {128, 10, 1, 1}}, 100, "[2]"},
		{"large goes first", []box{{128, 100, 1, 1}, {512, 100, 1, 1}}, 100, "[2]"},
		{"uses fade", []box{{128, 100, 600, 100}, {128, 100, 1, 1}}, 100, "[1]"},
		{"of equal ones the longest idle", []box{{128, 0, 1, 1}, {128, 0, 2, 1}}, 100, "[2]"},
		{"as many as needed", []box{{128, 1, 1, 1}, {128, 2, 1, 1}, {128, 3, 1, 1}}, 200, "[2 1]"},
		{"small ones are spared when the last suffices", []box{{128, 1, 1, 1}, {512, 9, 1, 1}}, 300, "[2]"},
		{"too few", []box{{128, 1, 1, 1}}, 300, "[]"},
	} {
		p := newPool(4096, 2)
		for i, b := range c.boxes {
			tk := &ticket{key: keyNamed(fmt.Sprint(i)), mb: b.mb, arrived: now}
			p.place(tk, true, now)
			s, err := p.carry(tk, decision{fresh: true}, now)
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range []state{starting, running} {
				if err := p.move(s, st); err != nil {
					t.Fatal(err)
				}
			}
			at := now.Add(-time.Duration(b.idleS) * time.Second)
			if err := p.settle(s, at); err != nil {
				t.Fatal(err)
			}
			s.cost, s.uses, s.usedAt = time.Duration(b.costMS)*time.Millisecond, b.uses, at
		}
		ids := []int{}
		tk := &ticket{key: keyNamed("new"), mb: c.need, arrived: now}
		p.place(tk, true, now)
		for _, s := range p.victims(tk.group, want{why: needed}, c.need, now) {
			ids = append(ids, s.id)
		}
		if got := fmt.Sprint(ids); got != c.want {
			t.Errorf("%s: victims = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMoves(t *testing.T) {
	for from := range state(states) {
		for to := range state(states + 1) {
			s := &slot{state: from}
			err := s.move(to)
			legal := slices.Contains(moves[from], to)
			if legal != (err == nil) || legal && s.state != to || !legal && s.state != from {
				t.Errorf("%v to %v: err = %v, state = %v", from, to, err, s.state)
			}
		}
	}
}
