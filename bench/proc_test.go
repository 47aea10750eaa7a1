package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func statText(name string, parent int, user, system, childUser, childSystem, pages int) string {
	return fmt.Sprintf("1 (%s) S %d 1 1 0 -1 4194560 100 0 0 0 %d %d %d %d 20 0 1 0 500 12345 %d 18446744073709551615 1 1", name, parent, user, system, childUser, childSystem, pages)
}

func TestParseStat(t *testing.T) {
	page := int64(os.Getpagesize())
	for _, name := range []string{"server", "a b", "a) R 7 (b", ""} {
		got, err := parseStat([]byte(statText(name, 3, 10, 5, 2, 1, 4)))
		want := procStat{parent: 3, cpu: 150 * ms, children: 30 * ms, rss: 4 * page}
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", name, got, err, want)
		}
	}
	for _, text := range []string{"", "1 (x", "1 (x) S 1 2", "1 (x) S a 1 1 0 -1 4194560 100 0 0 0 1 1 1 1 20 0 1 0 500 12345 4 1"} {
		if _, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestMeter measures processes of a made-up /proc: a router and an invoker,
// which has sandboxes that live, end, and start others.
func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := t.TempDir()
		set := func(pid int, text string) {
			dir := filepath.Join(root, fmt.Sprint(pid))
			if text == "" {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		set(1, statText("init", 0, 999, 999, 999, 999, 9))
		set(10, statText("hearth", 1, 100, 100, 0, 0, 5))
		set(20, statText("hearth", 10, 50, 0, 7, 0, 6)) // below the router, but watched itself
		set(30, statText("node", 20, 10, 0, 0, 0, 2))
		set(31, statText("sh", 20, 1, 1, 20, 0, 1))
		set(32, statText("python", 31, 5, 0, 0, 0, 3))
		set(40, statText("other", 1, 100, 0, 0, 0, 100))
		m := NewMeter(Process{"router", 10}, Process{"invoker", 20}, Process{"gone", 99})
		m.root = root
		shown := 0
		watch := m.Watch(func(Progress) { shown++ })
		engine := newEngine(Plan{Arrival: Closed, Concurrency: 1, Count: 1, Warmup: time.Second}, TargetFunc(func(_ context.Context, seq int64) Hit {
			time.Sleep(900 * ms)
			if seq == 0 { // in the warm-up: does not count
				set(10, statText("hearth", 1, 150, 100, 0, 0, 50))
			}
			if seq == 2 {
				set(10, statText("hearth", 1, 160, 110, 0, 0, 7))
				set(20, statText("hearth", 10, 55, 0, 7+15, 0, 6)) // 30 ended with 15
				set(30, "")
				set(32, statText("python", 31, 8, 0, 0, 0, 30))
				set(33, statText("go", 32, 1, 0, 0, 0, 1))
			}
			return Hit{}
		}), timerPacer{})
		r, err := engine.run(t.Context(), watch)
		if err != nil {
			t.Fatal(err)
		}
		m.Fill(r)
		cpu := map[string]time.Duration{"router": 200 * ms, "invoker": 50 * ms, Sandboxes: (5 + 3 + 1) * 10 * ms}
		if !maps.Equal(r.CPU, cpu) {
			t.Errorf("CPU %v, want %v", r.CPU, cpu)
		}
		page := int64(os.Getpagesize())
		rss := map[string]int64{"router": 50 * page, "invoker": 6 * page, Sandboxes: (1 + 30 + 1) * page}
		if !maps.Equal(r.RSS, rss) {
			t.Errorf("RSS %v, want %v", r.RSS, rss)
		}
		if shown < 3 {
			t.Errorf("progress shown %d times", shown)
		}
	})
}

// TestMeterHere: this process is there and has memory.
func TestMeterHere(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs Linux's /proc")
	}
	if got := NewMeter(Process{"me", os.Getpid()}).Sample()["me"]; got < 1<<20 {
		t.Errorf("%d bytes resident", got)
	}
	if h := ThisHost(); h.Cores == 0 || h.Memory == 0 || h.Kernel == "" {
		t.Errorf("host %+v", h)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statText("x", 1, 2, 3, 4, 5, 6)))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseStat(b) })
}
