package bench

import (
	"math"
	"sort"
)

// Zipf returns a choice among n actions for a request's number, the first
// the most popular: action i has a share that falls as 1/(i+1)^s. An s of 0 is
// an even choice. The same seed and number always choose the same.
func Zipf(n int, s float64, seed uint64) func(seq int64) int {
	sums := make([]float64, n)
	total := 0.0
	for i := range sums {
		total += math.Pow(float64(i+1), -s)
		sums[i] = total
	}
	return func(seq int64) int {
		u := float64(mix64(seed+uint64(seq)*0x9e3779b97f4a7c15)>>11) / (1 << 53)
		return min(sort.SearchFloat64s(sums, u*total), n-1)
	}
}

// mix64 spreads the bits of a number over all of it (the finish of SplitMix64).
func mix64(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
