package flow

import "testing"

func TestWindow(t *testing.T) {
	w := newWindow(100)
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"begins low", func() {}, 8},
		{"unused", func() { w.success(5) }, 8},
		{"used", func() { w.success(6) }, 9},
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

func TestPortion(t *testing.T) {
	for limit, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 8: 6, 9: 7, 256: 192} {
		if got := portion(limit); got != want {
			t.Errorf("portion(%d) = %d, want %d", limit, got, want)
		}
	}
}
