package flow

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the tests are of zones

	"pgregory.net/rapid"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// ticksOf returns n ticks after a time, as shown in the zone.
func ticksOf(t *testing.T, pattern, zone, after string, n int) string {
	t.Helper()
	s, ok := parseCron(pattern, zoneOf(t, zone))
	if !ok {
		t.Fatalf("%s is no pattern", pattern)
	}
	at, err := time.Parse(time.RFC3339, after)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for range n {
		if at = s.next(at); at.IsZero() {
			break
		}
		out = append(out, at.In(s.zone).Format("01-02T15:04:05 MST"))
	}
	return strings.Join(out, ", ")
}

func TestCron(t *testing.T) {
	const ny = "America/New_York"
	for _, tt := range []struct{ name, pattern, zone, after, want string }{
		{"minutes", "* * * * *", "UTC", "2026-01-01T00:00:00Z", "01-01T00:01:00 UTC, 01-01T00:02:00 UTC"},
		{"seconds", "*/30 * * * * *", "UTC", "2026-01-01T00:00:00Z", "01-01T00:00:30 UTC, 01-01T00:01:00 UTC"},
		{"in between", "*/5 * * * * *", "UTC", "2026-01-01T00:00:04.5Z", "01-01T00:00:05 UTC, 01-01T00:00:10 UTC"},
		{"zone", "0 9 * * *", ny, "2026-01-01T00:00:00Z", "01-01T09:00:00 EST, 01-02T09:00:00 EST"},
		{"names", "0 0 * JAN mon-tue", "UTC", "2026-01-01T00:00:00Z", "01-05T00:00:00 UTC, 01-06T00:00:00 UTC"},
		{"Sunday is 7", "0 0 * * 7", "UTC", "2026-01-01T00:00:00Z", "01-04T00:00:00 UTC, 01-11T00:00:00 UTC"},
		{"to Sunday", "0 0 * * 6-7", "UTC", "2026-01-01T00:00:00Z", "01-03T00:00:00 UTC, 01-04T00:00:00 UTC"},
		{"leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "02-29T00:00:00 UTC"},

		// 2026-03-08 in New York: after 01:59:59 EST comes 03:00:00 EDT.
		{"jump, before", "30 1 * * *", ny, "2026-03-07T12:00:00Z", "03-08T01:30:00 EST, 03-09T01:30:00 EDT"},
		{"jump, within", "30 2 * * *", ny, "2026-03-07T12:00:00Z", "03-08T03:00:00 EDT, 03-09T02:30:00 EDT"},
		{"jump, much within", "*/20 2 * * *", ny, "2026-03-08T05:00:00Z", "03-08T03:00:00 EDT, 03-09T02:00:00 EDT"},
		{"jump, every hour", "0 * * * *", ny, "2026-03-08T06:00:00Z", "03-08T03:00:00 EDT, 03-08T04:00:00 EDT"},
		{"jump, every other hour", "0 */2 * * *", ny, "2026-03-08T05:30:00Z", "03-08T03:00:00 EDT, 03-08T04:00:00 EDT"},
		// 2026-11-01: after 01:59:59 EDT comes 01:00:00 EST.
		{"twice", "30 1 * * *", ny, "2026-10-31T12:00:00Z", "11-01T01:30:00 EDT, 11-02T01:30:00 EST"},
		{"twice, from within", "30 1 * * *", ny, "2026-11-01T06:10:00Z", "11-02T01:30:00 EST, 11-03T01:30:00 EST"},
		{"twice, every half hour", "*/30 * * * *", ny, "2026-11-01T05:00:00Z", "11-01T01:30:00 EDT, 11-01T01:00:00 EST"},
		// Half an hour in April.
		{"Lord Howe", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "10-04T02:30:00 +11, 10-05T02:15:00 +11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ticksOf(t, tt.pattern, tt.zone, tt.after, strings.Count(tt.want, ",")+1); got != tt.want {
				t.Errorf("ticks %s, want %s", got, tt.want)
			}
		})
	}
}

func TestCronInvalid(t *testing.T) {
	for _, pattern := range []string{
		"", "*", "* * * *", "* * * * * * *", "60 * * * *", "* * * * 8", "x * * * *", "@hourly", "TZ=UTC * * * * *", "TZ=UTC", "CRON_TZ=x * * * *",
		"0 0 31 2 *", "0 0 30 2 *", "*/0 * * * *", "5-1 * * * *", "* * * * 5-8", strings.Repeat("1,", 2000) + "1 * * * *",
	} {
		if _, ok := parseCron(pattern, time.UTC); ok {
			t.Errorf("%.40q was taken", pattern)
		}
	}
}

// Ticks go up, and no minute of a whole day's pattern is missing or doubled,
// whatever the clocks do.
func TestCronEveryMinute(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		zone := zoneOf(t, rapid.SampledFrom([]string{"UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"}).Draw(r, "zone"))
		at := time.Unix(rapid.Int64Range(1_700_000_000, 1_900_000_000).Draw(r, "at")*1, 0)
		every, _ := parseCron("* * * * *", zone)
		daily, _ := parseCron("30 2 * * *", zone)
		for range 200 {
			next := every.next(at)
			if d := next.Sub(at); d <= 0 || d > time.Minute {
				r.Fatalf("after %v comes %v", at, next)
			}
			at = next
		}
		for range 20 {
			next := daily.next(at)
			if d := next.Sub(at); d <= 0 || d > 26*time.Hour {
				r.Fatalf("after %v comes %v", at, next)
			}
			at = next
		}
	})
}

func FuzzCron(f *testing.F) {
	for _, s := range []string{"* * * * *", "*/30 0-5,7 * JAN SUN", "0 0 29 2 7", "TZ=", "1-2-3 * * * *", "*/99999999999 * * * * *"} {
		f.Add(s)
	}
	zone := zoneOf(f, "America/New_York")
	f.Fuzz(func(t *testing.T, pattern string) {
		s, ok := parseCron(pattern, zone)
		if !ok {
			return
		}
		at := time.Unix(1_772_900_000, 0)
		for range 3 {
			next := s.next(at)
			if next.IsZero() {
				return
			}
			if !next.After(at) {
				t.Fatalf("%q: after %v comes %v", pattern, at, next)
			}
			at = next
		}
	})
}
