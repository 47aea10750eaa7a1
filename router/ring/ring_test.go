package ring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func slots(n int) []Slot {
	s := make([]Slot, n)
	for i := range s {
		s[i] = Slot{ID: fmt.Sprintf("invoker-%d", i)}
	}
	return s
}

func TestOwners(t *testing.T) {
	for _, tt := range []struct {
		name  string
		slots []Slot
		n     int
		want  int
	}{
		{"empty", nil, 3, 0},
		{"none asked", slots(3), 0, 0},
		{"negative", slots(3), -1, 0},
		{"one", slots(1), 5, 1},
		{"some", slots(10), 4, 4},
		{"all", slots(10), 10, 10},
		{"more than there are", slots(10), 99, 10},
		{"more than fit the stack's bits", slots(4200), 4200, 4200},
		{"same id twice", []Slot{{ID: "a"}, {ID: "a", Weight: 2}}, 5, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := New(tt.slots)
			got := r.Owners("ns/pkg/action", tt.n)
			if len(got) != tt.want {
				t.Fatalf("got %d owners, want %d", len(got), tt.want)
			}
			if distinct := slices.Compact(slices.Sorted(slices.Values(got))); len(distinct) != len(got) {
				t.Errorf("owners repeat: %v", got)
			}
			first, ok := r.Owner("ns/pkg/action")
			if ok != (r.Len() > 0) || len(got) > 0 && got[0] != first {
				t.Errorf("Owner = %q, %v; Owners begin %v", first, ok, got)
			}
		})
	}
}

func TestSameHashOrderedByID(t *testing.T) {
	r := &Ring{ids: []string{"a", "b"}, hashes: []uint64{7, 7}, owners: []uint32{0, 1}}
	if got := r.Owners("any", 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("owners = %v, want a before b", got)
	}
}

// A view is a set: the order in which members became known must not matter.
func TestSameViewSameOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringN(1, 12, -1), 1, 12, rapid.ID[string]).Draw(t, "ids")
		s := make([]Slot, len(ids))
		for i, id := range ids {
			s[i] = Slot{id, rapid.IntRange(0, 3).Draw(t, "weight")}
		}
		other := slices.Clone(s)
		rand.Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		key := rapid.String().Draw(t, "key")
		if a, b := New(s).Owners(key, 99), New(other).Owners(key, 99); !slices.Equal(a, b) {
			t.Fatalf("orders differ: %v, %v", a, b)
		}
	})
}

// One that joins takes keys; it moves none between the others, and leaves
// their order as it was.
func TestJoinMovesOnlyToTheNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "slots")
		before, after := New(slots(n)), New(append(slots(n), Slot{ID: "new"}))
		key := rapid.String().Draw(t, "key")
		got := slices.DeleteFunc(after.Owners(key, n+1), func(id string) bool { return id == "new" })
		if want := before.Owners(key, n); !slices.Equal(got, want) {
			t.Fatalf("order without the new = %v, want %v", got, want)
		}
	})
}

func TestJoinMovesItsShare(t *testing.T) {
	const keys = 20_000
	for _, n := range []int{1, 2, 9, 50} {
		before, after := New(slots(n)), New(append(slots(n), Slot{ID: "new"}))
		moved := 0
		for k := range keys {
			key := fmt.Sprintf("ns/action-%d", k)
			a, _ := before.Owner(key)
			b, _ := after.Owner(key)
			if a != b {
				moved++
			}
		}
		share := float64(moved) / keys * float64(n+1)
		if share < 0.6 || share > 1.5 {
			t.Errorf("%d joining: moved %.2f of a fair share, want about 1", n+1, share)
		}
	}
}

func TestWeights(t *testing.T) {
	const keys = 20_000
	r := New([]Slot{{"a", 1}, {"b", 3}, {"c", 0}})
	count := map[string]int{}
	for k := range keys {
		id, _ := r.Owner(fmt.Sprintf("ns/action-%d", k))
		count[id]++
	}
	for id, want := range map[string]float64{"a": 0.2, "b": 0.6, "c": 0.2} {
		if got := float64(count[id]) / keys; got < want*0.75 || got > want*1.25 {
			t.Errorf("share of %s = %.2f, want about %.2f", id, got, want)
		}
	}
	if got := len(New([]Slot{{"a", 1 << 40}}).hashes); got != MaxWeight*Points {
		t.Errorf("points of a huge weight = %d, want %d", got, MaxWeight*Points)
	}
}

func TestNoAllocation(t *testing.T) {
	r := New(slots(1000))
	dst := make([]string, 0, 16)
	if got := testing.AllocsPerRun(100, func() { dst = r.AppendOwners(dst[:0], "ns/pkg/action", 16) }); got != 0 {
		t.Errorf("AppendOwners allocates %v times, want 0", got)
	}
}

func BenchmarkOwners(b *testing.B) {
	r := New(slots(1000))
	for _, n := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			dst := make([]string, 0, n)
			b.ReportAllocs()
			for b.Loop() {
				dst = r.AppendOwners(dst[:0], "ns/pkg/action", n)
			}
		})
	}
}
