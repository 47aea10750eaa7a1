package flow

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestAlarmCron(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		const success = `{"status":"success"}`
		if got := tell(t, a, alarmCron, "CREATE", `{"cron":"*/30 * * * * *","trigger_payload":{"x":1}}`); got != success {
			t.Fatal(got)
		}
		elapse(61 * time.Second)
		if got := c.takeFired(); got != `t 01T00:00:30 {"k":1,"x":1}; t 01T00:01:00 {"k":1,"x":1}` {
			t.Errorf("fired %s", got)
		}
		want := `{"config":{"name":"t","namespace":"ns","payload":{"x":1},"cron":"*/30 * * * * *","strict":true},"status":{"active":true,"dateChanged":946684800000,"dateChangedISO":"2000-01-01T00:00:00Z"}}`
		if got := tell(t, a, alarmCron, "READ", `{}`); got != want {
			t.Errorf("READ %s, want %s", got, want)
		}
		if got := tell(t, a, alarmCron, "UPDATE", `{"cron":"0 1 * * *","timezone":"Asia/Tokyo"}`); got != success {
			t.Fatal(got)
		}
		elapse(24 * time.Hour)
		if got := c.takeFired(); got != `t 01T16:00:00 {"k":1,"x":1}` {
			t.Errorf("fired %s after the update", got)
		}
		if got := tell(t, a, alarmCron, "DELETE", `{}`); got != success {
			t.Error(got)
		}
		elapse(48 * time.Hour)
		if got := c.takeFired() + tell(t, a, alarmCron, "DELETE", `{}`); got != `{"error":"could not find trigger /ns/t in the database"}` {
			t.Errorf("after the end: %s", got)
		}
	})
}

// What is missed is made up for: each tick of the last hour, and of those before
// it the first.
func TestAlarmRestart(t *testing.T) {
	for _, tt := range []struct {
		name, cron string
		down       time.Duration
		want       []string
	}{
		{"short", "*/20 * * * * *", time.Minute, []string{"00:00:20", "00:00:40", "00:01:00"}},
		{"long", "*/30 * * * *", 4*time.Hour + time.Minute, []string{"00:30:00", "03:30:00", "04:00:00"}},
		{"daily", "0 0 * * *", 80 * time.Hour, []string{"00:00:00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClock()
				a, stop := c.alarms(t)
				tell(t, a, alarmCron, "CREATE", fmt.Sprintf(`{"cron":%q}`, tt.cron))
				stop()
				elapse(tt.down)
				_, stop = c.alarms(t)
				elapse(time.Second)
				got := c.takeFired()
				for _, tick := range tt.want {
					if !strings.Contains(got, tick) {
						t.Errorf("%s was not made up for", tick)
					}
				}
				if n := strings.Count(got, ";") + 1; n != len(tt.want) {
					t.Errorf("fired %d times: %s", n, got)
				}
				stop()
			})
		})
	}
}

// However often the process ends and whatever the store does, each tick comes
// once.
func TestAlarmNoTickLostOrDoubled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		a, stop := c.alarms(t)
		other, stopOther := c.alarms(t) // another router on the same store
		tell(t, other, alarmCron, "CREATE", `{"cron":"* * * * * *"}`)
		began := time.Now()
		for n := range 40 {
			c.set(func() { c.away, c.mute = n%4 == 1, n%4 == 3 })
			elapse(time.Duration(700+130*n) * time.Millisecond)
			stop()
			a, stop = c.alarms(t)
		}
		c.set(func() { c.away, c.mute = false, false })
		elapse(20 * time.Second)
		last := time.Now()
		stop()
		stopOther()
		_ = a
		seen := map[string]int{}
		for _, f := range c.fired {
			seen[f]++
		}
		want := int(last.Sub(began) / time.Second)
		if len(seen) != want || len(c.fired) != want {
			t.Errorf("%d fires of %d ticks, want %d", len(c.fired), len(seen), want)
		}
	})
}

func TestAlarmInterval(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		if got := tell(t, a, alarmInterval, "CREATE", `{"minutes":"2","stopDate":"2000-01-01T00:05:00Z","trigger_payload":"hello"}`); !strings.Contains(got, "success") {
			t.Fatal(got)
		}
		elapse(time.Hour)
		if got := c.takeFired(); got != `t 01T00:00:30 {"k":1,"payload":"hello"}; t 01T00:02:30 {"k":1,"payload":"hello"}; t 01T00:04:30 {"k":1,"payload":"hello"}` {
			t.Errorf("fired %s", got)
		}
		if got := status(t, a); got != "false 0 "+endInterval {
			t.Errorf("status %s", got)
		}
		// An update sets it going again.
		if got := tell(t, a, alarmInterval, "UPDATE", `{"stopDate":"2000-01-01T01:03:00Z"}`); !strings.Contains(got, "success") {
			t.Fatal(got)
		}
		elapse(time.Hour)
		if got := c.takeFired(); !strings.HasPrefix(got, "t 01T01:00:30") || strings.Count(got, ";") != 1 {
			t.Errorf("fired %s", got)
		}
	})
}

func TestAlarmOnce(t *testing.T) {
	for _, tt := range []struct{ after, left string }{{"", "t r"}, {"false", "t r"}, {"true", "r"}, {"rules", ""}} {
		onClock(t, func(t *testing.T, c *clock, a *Alarms) {
			c.set(func() {
				c.triggers[triggerName("t")].Rules = []whisk.RuleLink{{Rule: triggerName("r")}, {Rule: triggerName("gone")}}
				c.rules[triggerName("r")] = &whisk.Rule{Name: triggerName("r"), Trigger: triggerName("t")}
			})
			tell(t, a, alarmOnce, "CREATE", fmt.Sprintf(`{"date":%d,"deleteAfterFire":%q}`, time.Now().Add(time.Minute).UnixMilli(), tt.after))
			elapse(time.Hour)
			if got := c.takeFired(); got != `t 01T00:01:00 {"k":1}` {
				t.Errorf("%q: fired %s", tt.after, got)
			}
			var left []string
			for n := range c.triggers {
				left = append(left, n.Name)
			}
			for n := range c.rules {
				left = append(left, n.Name)
			}
			if got := strings.Join(left, " "); got != tt.left {
				t.Errorf("%q: %q is left, want %q", tt.after, got, tt.left)
			}
			if strings.Contains(tt.left, "t") {
				if got := status(t, a); got != "false 0 "+endOnce {
					t.Errorf("status %s", got)
				}
			}
		})
	}
}

func TestAlarmDisabled(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(c *clock)
		mend  func(c *clock)
		after time.Duration
		want  string
	}{
		{"key revoked", func(c *clock) { c.revoked = true }, func(c *clock) { c.revoked = false }, 2 * time.Minute, "false 401 " + fmt.Sprintf(endStatus, 401)},
		{"throttled for a while", func(c *clock) { c.throttle = whisk.Errorf(whisk.Throttled, "x") }, func(c *clock) { c.throttle = nil }, 3 * time.Minute, "true 0 "},
		{"throttled for ever", func(c *clock) { c.throttle = whisk.Errorf(whisk.Throttled, "x") }, func(c *clock) { c.throttle = nil }, 30 * time.Minute, "false 429 " + fmt.Sprintf(endStatus, 429)},
		{"store away", func(c *clock) { c.away = true }, func(c *clock) { c.away = false }, 30 * time.Minute, "true 0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onClock(t, func(t *testing.T, c *clock, a *Alarms) {
				tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
				c.set(func() { tt.spoil(c) })
				elapse(tt.after)
				c.set(func() { tt.mend(c) })
				if got := status(t, a); got != tt.want {
					t.Errorf("status %s, want %s", got, tt.want)
				}
				elapse(2 * time.Minute)
				minutes := int((tt.after + 2*time.Minute) / time.Minute)
				switch n := len(c.fired); {
				case strings.HasPrefix(tt.want, "true") && n != minutes:
					t.Errorf("fired %d times, want %d", n, minutes)
				case strings.HasPrefix(tt.want, "false") && n != 0:
					t.Errorf("fired %d times after it was disabled", n)
				}
			})
		})
	}
}

// An alarm whose trigger is found to be gone is gone, too, and does not fire the
// next trigger of that name.
func TestAlarmOrphaned(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
		c.set(func() { delete(c.triggers, triggerName("t")) })
		elapse(2 * time.Minute)
		if got := tell(t, a, alarmCron, "DELETE", `{}`); got != `{"status":"success"}` {
			t.Errorf("DELETE behind the trigger: %s", got)
		}
		c.set(func() { c.add("t") })
		elapse(2 * time.Minute)
		if got := c.takeFired() + tell(t, a, alarmCron, "DELETE", `{}`); got != `{"error":"could not find trigger /ns/t in the database"}` {
			t.Errorf("the next trigger: %s", got)
		}
	})
}

func TestAlarmMaxTriggers(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *","maxTriggers":2}`)
		elapse(time.Hour)
		if got := status(t, a); len(c.fired) != 2 || got != "false 0 "+endMax {
			t.Errorf("fired %d times, status %s", len(c.fired), got)
		}
	})
}

// Many alarms that cannot be fired do not keep others waiting.
func TestAlarmsSideBySide(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		for n := range 50 {
			name := fmt.Sprint("t", n)
			c.set(func() { c.add(name) })
			tell(t, a, alarmCron, "CREATE", fmt.Sprintf(`{"cron":"* * * * *","triggerName":"/ns/%s"}`, name))
		}
		c.set(func() { c.throttle = whisk.Errorf(whisk.Throttled, "x") })
		elapse(61 * time.Second)
		c.set(func() { c.throttle = nil })
		elapse(2 * time.Minute)
		if n := len(c.fired); n != 150 {
			t.Errorf("fired %d times, want 150", n)
		}
	})
}

// strict false spreads the alarms of five fields over the minute.
func TestAlarmStrict(t *testing.T) {
	late := lateness(triggerName("t"))
	for _, tt := range []struct {
		args string
		late int64
	}{{`"strict":false`, late}, {`"strict":"false"`, late}, {`"strict":true`, 0}, {`"x":1`, 0}} {
		onClock(t, func(t *testing.T, c *clock, a *Alarms) {
			tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *",`+tt.args+`}`)
			v, err := c.engine.Alarm(t.Context(), triggerName("t"))
			if got := v.Tick % 60_000; err != nil || got != tt.late {
				t.Errorf("%s: %d ms late, want %d (%v)", tt.args, got, tt.late, err)
			}
		})
	}
}
