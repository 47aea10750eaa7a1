package flow

import (
	"encoding/json"
	"hash/fnv"
	"time"

	"hearth/whisk"
)

// The sorts of alarms: the feeds of whisk.system/alarms.
const (
	alarmCron     = "alarm"
	alarmInterval = "interval"
	alarmOnce     = "once"
)

// alarmPlan is what the owner of an alarm wants, and who that is: the sealed
// part of a [whisk.Alarm]. Dates are there as they were given, to be shown so,
// and in ms since the epoch.
type alarmPlan struct {
	Sort    string          `json:"sort"`
	UUID    string          `json:"uuid"` // of the credential in whose name it fires
	Payload json.RawMessage `json:"payload,omitempty"`

	Cron     string `json:"cron,omitempty"`
	Timezone string `json:"timezone,omitempty"`
	Strict   *bool  `json:"strict,omitempty"`
	Minutes  int64  `json:"minutes,omitempty"`

	Date      json.RawMessage `json:"date,omitempty"`
	StartDate json.RawMessage `json:"startDate,omitempty"`
	StopDate  json.RawMessage `json:"stopDate,omitempty"`
	Start     int64           `json:"start,omitempty"` // also the Date of once; 0: none
	Stop      int64           `json:"stop,omitempty"`  // 0: none

	DeleteAfterFire string `json:"deleteAfterFire,omitempty"`
	MaxTriggers     int64  `json:"maxTriggers,omitempty"` // 0: no bound
}

// schedule returns the ticks of the plan. Its patterns and zones were looked at
// when it was made; false: this Hearth cannot read them any more.
func (p *alarmPlan) schedule(trigger whisk.EntityName) (schedule, bool) {
	s := schedule{start: p.Start, stop: p.Stop}
	switch p.Sort {
	case alarmOnce:
		return s, p.Start > 0
	case alarmInterval:
		s.every = p.Minutes * time.Minute.Milliseconds()
		return s, s.every > 0 && p.Start > 0
	case alarmCron:
		zone, err := time.LoadLocation(p.Timezone)
		if err != nil {
			return s, false
		}
		c, ok := parseCron(p.Cron, zone)
		if !ok {
			return s, false
		}
		if !p.strict() && !c.seconds {
			s.late = lateness(trigger)
		}
		s.cron = &c
		return s, true
	}
	return s, false
}

// strict reports whether ticks come at the full minute.
func (p *alarmPlan) strict() bool { return p.Strict == nil || *p.Strict }

// lateness spreads the alarms that need not be strict over the minute, in ms.
func lateness(trigger whisk.EntityName) int64 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(trigger.Path())) // never fails
	return int64(h.Sum32()%60) * time.Second.Milliseconds()
}

// schedule is a plan's ticks, in ms since the epoch.
type schedule struct {
	cron        *cronSchedule // nil: start, and from then on every
	late        int64         // what is added to cron's
	every       int64         // 0: start alone
	start, stop int64         // inclusive; 0: none
}

// after returns the first tick after a time; false: there is none.
func (s *schedule) after(at int64) (int64, bool) {
	tick := s.start
	switch {
	case s.cron != nil:
		from := max(at, s.start-1) - s.late
		t := s.cron.next(time.UnixMilli(from))
		if t.IsZero() {
			return 0, false
		}
		tick = t.UnixMilli() + s.late
	case at < s.start:
	case s.every == 0:
		return 0, false
	default:
		tick += ((at-s.start)/s.every + 1) * s.every
	}
	return tick, s.stop == 0 || tick <= s.stop
}

// following returns the tick to fire after one that is fired now: the next one,
// though it is past. But of ticks that are more than makeUp past only the one
// at hand is fired, for all of them.
func (s *schedule) following(tick, now int64, makeUp time.Duration) (int64, bool) {
	return s.after(max(tick, now-makeUp.Milliseconds()-1))
}
