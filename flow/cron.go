package flow

import (
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// maxCron bounds the text of a cron pattern.
const maxCron = 1024

// cronParser reads five fields, or six with the seconds first.
var cronParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// cronSchedule is a cron pattern in a time zone.
//
// Where clocks are put forward or back, patterns for all hours of the day go by
// the time that passes: none of their ticks is left out or comes twice. Others
// mean what a clock on the wall shows: what the clock jumps over is fired once
// right after the jump, and of an hour that it shows twice only the first
// counts.
type cronSchedule struct {
	spec    cron.SpecSchedule
	zone    *time.Location
	allDay  bool // every hour
	seconds bool // the pattern had six fields
}

// parseCron reads a pattern; false: it is none, or can never come true.
func parseCron(pattern string, zone *time.Location) (cronSchedule, bool) {
	fields := strings.Fields(pattern)
	n := len(fields)
	if n < 5 || n > 6 || len(pattern) > maxCron || strings.ContainsAny(pattern, "=@") {
		return cronSchedule{}, false
	}
	fields[n-1] = sundays(fields[n-1])
	parsed, err := cronParser.Parse(strings.Join(fields, " "))
	if err != nil {
		return cronSchedule{}, false
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return cronSchedule{}, false
	}
	const hours = 1<<24 - 1
	s := cronSchedule{spec: *spec, zone: zone, allDay: bits.OnesCount64(spec.Hour&hours) == 24, seconds: n == 6}
	return s, !s.next(time.Unix(0, 0)).IsZero()
}

// sundays writes the days of the week of a cron pattern without 7, which is
// Sunday like 0. What it cannot read it leaves to the parser.
func sundays(field string) string {
	items := strings.Split(field, ",")
	for i, item := range items {
		span, step, stepped := strings.Cut(item, "/")
		first, last, ranged := strings.Cut(span, "-")
		if !ranged {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		by, err3 := strconv.Atoi(step)
		if !stepped {
			by, err3 = 1, nil
		}
		if err1 != nil || err2 != nil || err3 != nil || to != 7 || from < 0 || from > 7 || by < 1 || stepped && !ranged {
			continue
		}
		var days []string
		for d := from; d <= 7; d += by {
			days = append(days, strconv.Itoa(d%7))
		}
		items[i] = strings.Join(days, ",")
	}
	return strings.Join(items, ",")
}

// next returns the first tick after a time; zero: there is none for years.
func (s *cronSchedule) next(after time.Time) time.Time {
	spec := s.spec
	if s.allDay {
		spec.Location = s.zone
		return spec.Next(after.In(s.zone))
	}
	// The wall's clock, as if it were one that nobody ever puts forward or back.
	spec.Location = time.UTC
	for shown := onWall(after, s.zone); ; {
		if shown = spec.Next(shown); shown.IsZero() {
			return shown
		}
		if t := fromWall(shown, s.zone); t.After(after) {
			return t
		}
	}
}

// onWall returns what a clock in the zone shows, as a time of UTC.
func onWall(t time.Time, zone *time.Location) time.Time {
	_, offset := t.In(zone).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// fromWall returns when a clock in the zone shows that, for the first time; if
// it jumps over it, when it jumps.
func fromWall(shown time.Time, zone *time.Location) time.Time {
	const around = 26 * time.Hour // further than any zone is from UTC, but nearer than two jumps
	_, before := shown.Add(-around).In(zone).Zone()
	_, after := shown.Add(around).In(zone).Zone()
	var late time.Time
	for _, offset := range []int{max(before, after), min(before, after)} { // the larger one is the earlier time
		late = shown.Add(-time.Duration(offset) * time.Second)
		if onWall(late, zone).Equal(shown) {
			return late.In(zone)
		}
	}
	jump, _ := late.In(zone).ZoneBounds()
	return jump
}
