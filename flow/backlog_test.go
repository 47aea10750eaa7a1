package flow

import (
	"fmt"
	"testing"
	"time"

	"hearth/whisk"
)

var t0 = time.Unix(1000, 0)

// testPause is that of a backlog under test: as many seconds as refusals.
func testPause(refused int) time.Duration { return time.Duration(refused) * time.Second }

// waiting returns an item of an action; the first letter is its namespace.
func waiting(action string) *item {
	ns := whisk.Namespace(action[:1])
	return &item{
		id: whisk.NewActivationID(), ns: ns, action: whisk.ActionName{Namespace: ns, Name: action},
		call: &whisk.Call{}, size: 1, ready: t0, expires: t0.Add(time.Hour),
	}
}

func (b *backlog) pushAll(actions ...string) {
	for _, a := range actions {
		b.push(waiting(a))
	}
}

// popAll returns the actions of what can be popped at a time, in order.
func (b *backlog) popAll(most int, now time.Time, each func(*item)) string {
	got := ""
	for it := b.pop(false, most, now); it != nil; it = b.pop(false, most, now) {
		got += it.action.Name + " "
		each(it)
	}
	return got
}

func TestBacklogTurns(t *testing.T) {
	for _, tc := range []struct {
		name string
		most int
		each func(b *backlog, it *item)
		want string
	}{
		{"kept", 9, func(*backlog, *item) {}, "a b c a c a "},
		{"ended at once", 9, func(b *backlog, it *item) { b.done(it, t0) }, "a b c a c a "},
		{"one is slow", 9, func(b *backlog, it *item) {
			if it.ns != "c" {
				b.done(it, t0)
			}
		}, "a b c a a c "},
		{"bounded", 2, func(*backlog, *item) {}, "a b c a c "},
	} {
		b := newBacklog(testPause)
		b.pushAll("a", "a", "a", "b", "c", "c")
		if got := b.popAll(tc.most, t0, func(it *item) { tc.each(b, it) }); got != tc.want {
			t.Errorf("%s: order = %s, want %s", tc.name, got, tc.want)
		}
	}
}

// An action that is refused stands in nobody's way, of its namespace or another.
func TestBacklogRefusal(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("ax", "ax", "ax", "ay", "ay", "b")
	var xs []*item
	refuse := func(it *item) {
		if it.action.Name == "ax" {
			xs = append(xs, it)
			if news := b.refuse(it, false, t0); news != (len(xs) == 1) {
				t.Errorf("refusal %d: news %v", len(xs), news)
			}
		}
	}
	if got := b.popAll(9, t0, refuse); got != "ax b ay ay " {
		t.Errorf("order = %s", got)
	}
	if next := b.rouse(t0); !next.Equal(t0.Add(time.Second)) {
		t.Errorf("next at %v", next)
	}
	// One at a time from now on, after longer and longer rests, and the same.
	now := t0.Add(time.Second)
	for i, rest := range []time.Duration{2, 3, 4} {
		next := b.rouse(now)
		if !next.After(now) && i > 0 {
			t.Errorf("next at %v, it is %v", next, now)
		}
		if got := b.popAll(9, now, func(it *item) {
			if it != xs[0] {
				t.Error("another one was tried")
			}
			b.refuse(it, false, now)
		}); got != "ax " {
			t.Errorf("got %q", got)
		}
		now = now.Add(rest * time.Second)
	}
	// Something ended: it is tried at once.
	b.pushAll("c")
	b.done(b.pop(false, 9, now.Add(-time.Second)), now)
	if got := b.popAll(9, now.Add(-time.Second), func(*item) {}); got != "ax " {
		t.Errorf("after an end: %q", got)
	}
}

func TestBacklogTired(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("ax", "ax", "ay", "az", "b")
	if it := b.popTired(t0); it != nil {
		t.Error("one that was not refused")
	}
	for range tiredAfter {
		b.rouse(t0)
		for it := b.pop(false, 9, t0); it != nil; it = b.pop(false, 9, t0) {
			b.refuse(it, false, t0)
		}
		b.rouse(t0.Add(time.Hour - 1))
	}
	for it := b.pop(false, 9, t0); it != nil; it = b.pop(false, 9, t0) {
		b.refuse(it, false, t0)
	}
	got := map[whisk.ActionName]int{}
	var ofA *item
	for it := b.popTired(t0); it != nil; it = b.popTired(t0) {
		if it.ns == "a" {
			ofA = it
		}
		got[it.action]++
	}
	if b := got[whisk.ActionName{Namespace: "b", Name: "b"}]; len(got) != 3 || b != 1 { // two of a, one of each line
		t.Errorf("got %v", got)
	}
	b.refuse(ofA, false, t0)
	if it := b.popTired(t0); it == nil || it.ns != "a" {
		t.Errorf("then %v", it)
	}
}

// Items end by their own times, wherever they stand.
func TestBacklogExpired(t *testing.T) {
	b := newBacklog(testPause)
	var want []*item
	for i := range 20 {
		it := waiting(fmt.Sprint("a", i%3))
		if i%4 == 3 {
			it.expires = t0.Add(time.Minute)
			want = append(want, it)
		}
		b.push(it)
	}
	asleep := waiting("b")
	asleep.expires, asleep.ready = t0.Add(time.Minute), t0.Add(2*time.Minute)
	b.sleep(asleep)
	if next := b.rouse(t0); !next.Equal(t0.Add(time.Minute)) {
		t.Errorf("next at %v", next)
	}
	got := b.expired(t0.Add(time.Minute))
	if len(got) != len(want)+1 || b.all.rows != 15 {
		t.Errorf("%d expired, %d left", len(got), b.all.rows)
	}
	if len(b.clear()) != 15 || b.all != (share{}) || len(b.spaces)+len(b.spots) != 0 || len(b.plain.lanes) != 0 {
		t.Errorf("left: %+v", b)
	}
}

// A retried item comes back before what came after it.
func TestBacklogSleep(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("a", "a")
	first := b.pop(false, 9, t0)
	b.done(first, t0)
	first.ready = t0.Add(time.Second)
	b.sleep(first)
	b.rouse(t0.Add(999 * time.Millisecond))
	if first.sleep == nil {
		t.Error("it woke early")
	}
	b.rouse(t0.Add(time.Second))
	if it := b.pop(false, 9, t0); it != first {
		t.Error("another one came first")
	}
}
