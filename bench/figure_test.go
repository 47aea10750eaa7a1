package bench

import (
	"math"
	"testing"
	"time"
)

func TestFigure(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {1.4, "1.4"}, {1.004, "1"}, {0.7, "0.7"}, {12.34, "12.3"}, {99.96, "100"}, {123.4, "123"},
		{1234, "1,234"}, {12345.6, "12,346"}, {1234567, "1,234,567"}, {-1234, "-1,234"}, {-12, "-12"}, {-123456, "-123,456"},
		{0.01234, "0.0123"}, {math.NaN(), "–"},
	} {
		if got := figure(tt.v); got != tt.want {
			t.Errorf("figure(%v) = %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestTimes(t *testing.T) {
	for v, want := range map[float64]string{1: "1.00", .7: "0.70", 1.006: "1.01", 12.34: "12.3", .0123: "0.0123", 9.996: "10"} {
		if got := times(v); got != want {
			t.Errorf("times(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 ns"}, {999, "999 ns"}, {82100, "82.1 µs"}, {time.Millisecond, "1 ms"}, {1234 * time.Microsecond, "1.23 ms"},
		{time.Second, "1 s"}, {10 * time.Minute, "600 s"},
	} {
		if got := short(tt.d); got != tt.want {
			t.Errorf("short(%d) = %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1 << 10: "1 KB", 60<<20 + 1<<19: "60.5 MB", 3 << 29: "1.5 GB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
