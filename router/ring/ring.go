package ring

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// Points is how many places a slot of weight 1 has on the ring. More of them
// spread keys more evenly (the share of a slot varies by about 1/√Points) and
// cost 12 bytes each.
const Points = 160

// MaxWeight bounds a slot's weight, and so the ring's memory.
const MaxWeight = 64

// Slot is a member of the ring.
type Slot struct {
	ID     string
	Weight int // share of keys relative to the others; below 1 counts as 1, above MaxWeight as MaxWeight
}

// Ring orders slots for keys.
type Ring struct {
	ids    []string // sorted, each once
	hashes []uint64 // of the points, ascending; equal ones by id
	owners []uint32 // index into ids, of the point at the same index
}

// New returns the ring of the slots. Of slots with the same id the last counts.
func New(slots []Slot) *Ring {
	weights := make(map[string]int, len(slots))
	for _, s := range slots {
		weights[s.ID] = min(max(s.Weight, 1), MaxWeight)
	}
	r := &Ring{ids: make([]string, 0, len(weights))}
	n := 0
	for id, w := range weights {
		r.ids = append(r.ids, id)
		n += w * Points
	}
	slices.Sort(r.ids)

	type point struct {
		hash  uint64
		owner uint32
	}
	points := make([]point, 0, n)
	var text []byte
	for i, id := range r.ids {
		for p := range weights[id] * Points {
			text = append(append(text[:0], id...), '#')
			text = strconv.AppendInt(text, int64(p), 10)
			points = append(points, point{xxhash.Sum64(text), uint32(i)})
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.owner, b.owner))
	})
	r.hashes, r.owners = make([]uint64, n), make([]uint32, n)
	for i, p := range points {
		r.hashes[i], r.owners[i] = p.hash, p.owner
	}
	return r
}

// Len returns the number of slots.
func (r *Ring) Len() int { return len(r.ids) }

// Walk calls f with the slots in the key's order, each once, until f returns
// false or all were named.
func (r *Ring) Walk(key string, f func(id string) bool) {
	if len(r.ids) == 0 {
		return
	}
	var room [64]uint64 // a bit per slot, on the stack up to 4,096 of them
	seen := room[:]
	if words := (len(r.ids) + 63) / 64; words > len(room) {
		seen = make([]uint64, words)
	}
	at, _ := slices.BinarySearch(r.hashes, xxhash.Sum64String(key))
	for left := len(r.ids); left > 0; at++ {
		if at == len(r.owners) {
			at = 0
		}
		o := r.owners[at]
		if seen[o/64]&(1<<(o%64)) != 0 {
			continue
		}
		seen[o/64] |= 1 << (o % 64)
		left--
		if !f(r.ids[o]) {
			return
		}
	}
}

// Owner returns the key's first slot, its home; false if the ring is empty.
func (r *Ring) Owner(key string) (string, bool) {
	if len(r.ids) == 0 {
		return "", false
	}
	at, _ := slices.BinarySearch(r.hashes, xxhash.Sum64String(key))
	if at == len(r.owners) {
		at = 0
	}
	return r.ids[r.owners[at]], true
}

// Owners returns the key's first n slots in order, or all if there are fewer.
func (r *Ring) Owners(key string, n int) []string {
	return r.AppendOwners(make([]string, 0, min(max(n, 0), len(r.ids))), key, n)
}

// AppendOwners is [Ring.Owners] into dst; it allocates nothing where dst has
// the room.
func (r *Ring) AppendOwners(dst []string, key string, n int) []string {
	if n <= 0 {
		return dst
	}
	r.Walk(key, func(id string) bool {
		dst = append(dst, id)
		n--
		return n > 0
	})
	return dst
}
