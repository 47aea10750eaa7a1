package wire

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// Both sides of a connection mean the same setting by a number, however many
// there are.
func TestSettings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var mine told
		var theirs heard
		names := rapid.SliceOfN(rapid.IntRange(0, 2*maxSettings), 1, 3*maxSettings).Draw(t, "names")
		for _, n := range names {
			c := newCall()
			c.Subject = fmt.Sprint(n)
			text := appendSetting(nil, c)
			number, known := mine.number(text)
			if !known {
				if err := theirs.learn(append(binaryUvarint(number), text...)); err != nil {
					t.Fatal(err)
				}
			}
			if got := theirs[number].subject; got != c.Subject {
				t.Fatalf("setting %d is %s, want %s", number, got, c.Subject)
			}
		}
		if len(theirs) > maxSettings || len(mine.numbers) != len(mine.texts) {
			t.Fatalf("%d settings are known, %d announced", len(theirs), len(mine.numbers))
		}
	})
}

// More settings than a connection knows at once, some too long for its table,
// with calls that go in pieces between.
func TestManySettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, e := newPipes(), &echo{}
		s := trusting(DefaultServerConfig(), e)
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		c := clientOf(t, p.Dial, nil)
		run(t, c.Run)
		synctest.Wait()
		var mu sync.Mutex
		wrong, done := 0, 0
		const rounds, settings = 2, maxSettings + 200
		for round := range rounds {
			for i := range settings {
				call := newCall()
				target := *call.Target
				target.Name.Name, call.Target = fmt.Sprintf("action-%d", i), &target
				if i%100 == round {
					call.Args = []byte(`"` + strings.Repeat("x", 3*maxWhole) + `"`)
				}
				if i%70 == 0 {
					target.Exec.Main = strings.Repeat("m", maxSettingSize)
				}
				err := c.Call(call, func(r whisk.Reply) {
					mu.Lock()
					defer mu.Unlock()
					if done++; r.Record == nil || r.Record.Name != target.Name.Name || len(r.Record.Response.Result) != len(call.Args) {
						wrong++
					}
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		if done != rounds*settings || wrong > 0 || p.dials.Load() != 1 {
			t.Errorf("%d calls done, %d wrong, over %d connections", done, wrong, p.dials.Load())
		}
		if n := len(c.link.told.texts); n != maxSettings {
			t.Errorf("%d settings were announced, want %d at once", n, maxSettings)
		}
	})
}

func binaryUvarint(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
