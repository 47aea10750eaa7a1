package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// clock is a world of triggers, with a store that outlives the Alarms on it.
type clock struct {
	engine *store.None

	mu       sync.Mutex // guards all below
	triggers map[whisk.EntityName]*whisk.Trigger
	rules    map[whisk.EntityName]*whisk.Rule
	fired    []string // "trigger at payload"
	away     bool     // the store does not answer
	mute     bool     // it does what it is asked, and does not say so
	throttle error
	revoked  bool
}

func newClock() *clock {
	c := &clock{engine: store.NewNone(), triggers: map[whisk.EntityName]*whisk.Trigger{}, rules: map[whisk.EntityName]*whisk.Rule{}}
	c.add("t")
	return c
}

func triggerName(name string) whisk.EntityName { return whisk.EntityName{Namespace: "ns", Name: name} }

func (c *clock) add(name string) {
	c.triggers[triggerName(name)] = &whisk.Trigger{Name: triggerName(name), Parameters: whisk.Parameters{{Key: "k", Value: []byte("1")}}}
}

func (c *clock) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func (c *clock) reach() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		return errAway
	}
	return nil
}

func (c *clock) Alarm(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, error) {
	if err := c.reach(); err != nil {
		return whisk.Alarm{}, err
	}
	return c.engine.Alarm(ctx, trigger)
}

func (c *clock) Alarms(ctx context.Context, limit int) ([]whisk.Alarm, error) {
	if err := c.reach(); err != nil {
		return nil, err
	}
	return c.engine.Alarms(ctx, limit)
}

func (c *clock) PutAlarm(ctx context.Context, a whisk.Alarm, ifRevision int64) error {
	return c.engine.PutAlarm(ctx, a, ifRevision)
}

func (c *clock) DeleteAlarm(ctx context.Context, trigger whisk.EntityName, ifRevision int64) error {
	return c.engine.DeleteAlarm(ctx, trigger, ifRevision)
}

func (c *clock) Step(ctx context.Context, step whisk.AlarmStep, rec *whisk.Activation, rows []whisk.QueueRow) (bool, error) {
	if err := c.reach(); err != nil {
		return false, err
	}
	res, err := c.engine.Commit(ctx, []store.Op{{Kind: store.OpStep, Step: &step, Record: rec, Rows: rows}})
	if err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mute {
		return false, errAway
	}
	return res[0].OK, res[0].Err
}

// Fire fires when its step happens.
func (c *clock) Fire(ctx context.Context, e whisk.Fire) (whisk.ActivationID, error) {
	tick := time.UnixMilli(e.Step.Tick).UTC().Format("02T15:04:05")
	before, err := c.engine.Alarm(ctx, e.Trigger.Name)
	if err != nil {
		return whisk.ActivationID{}, err
	}
	ok, err := c.Step(ctx, *e.Step, nil, nil)
	after, _ := c.engine.Alarm(ctx, e.Trigger.Name)
	if before.Fired != after.Fired {
		head, tail, found := strings.Cut(string(e.Args), ","+alarmHeaders)
		if !found {
			head = "without headers: " + head
		}
		c.set(func() { c.fired = append(c.fired, e.Trigger.Name.Name+" "+tick+" "+head+tail) })
	}
	if err != nil {
		return whisk.ActivationID{}, &whisk.Error{Kind: whisk.Unavailable, Err: err}
	}
	if !ok {
		return whisk.ActivationID{}, whisk.ErrChanged
	}
	return whisk.NewActivationID(), nil
}

// clockThrottle is apart, as Fire of the clock is another.
type clockThrottle struct{ c *clock }

func (h clockThrottle) Fire(*whisk.Identity) error {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	return h.c.throttle
}

func (c *clock) Trigger(_ context.Context, name whisk.EntityName) (*whisk.Trigger, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.triggers[name]; t != nil {
		return t, nil
	}
	return nil, whisk.ErrNotFound
}

func (c *clock) DeleteTrigger(_ context.Context, name whisk.EntityName, _ int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.triggers, name)
	return nil
}

func (c *clock) Rule(_ context.Context, name whisk.EntityName) (*whisk.Rule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rules[name]; r != nil {
		return r, nil
	}
	return nil, whisk.ErrNotFound
}

func (c *clock) DeleteRule(_ context.Context, r *whisk.Rule, _ ...*whisk.Trigger) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rules, r.Name)
	return nil
}

var errNoKey = &whisk.Error{Kind: whisk.Unauthenticated, Message: "invalid"}

func (c *clock) Identity(_ context.Context, uuid string) (*whisk.Identity, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revoked || uuid != "uuid" {
		return nil, errNoKey
	}
	return &whisk.Identity{Subject: "someone", Namespace: "ns", UUID: uuid}, nil
}

func (c *clock) Authenticate(ctx context.Context, key whisk.AuthKey) (*whisk.Identity, error) {
	if key.Key != "key" {
		return nil, errNoKey
	}
	return c.Identity(ctx, key.UUID)
}

// alarms starts Alarms on the clock; the function stops them.
func (c *clock) alarms(t *testing.T) (*Alarms, func()) {
	t.Helper()
	cfg := DefaultAlarmsConfig()
	cfg.Workers = 3
	a := NewAlarms(cfg, AlarmsDeps{
		Store: c, Queue: c, Triggers: c, Fires: c, Keys: c, Throttle: clockThrottle{c}, Sealer: fakeSealer{},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = a.Run(ctx) }()
	return a, func() { cancel(); <-ended }
}

// tell calls a feed and returns its answer.
func tell(t *testing.T, a *Alarms, sort, event, args string) string {
	t.Helper()
	head := fmt.Sprintf(`{"lifecycleEvent":%q,"triggerName":"/_/t","authKey":"uuid:key"}`, event)
	r := a.Feed(t.Context(), sort, &whisk.Call{Args: whisk.MergeObjects([]byte(head), []byte(args))})
	if ok := !strings.Contains(string(r.Result), `"error"`); ok != (r.Status == whisk.Success) {
		t.Errorf("status %v with %s", r.Status, r.Result)
	}
	return string(r.Result)
}

func (c *clock) takeFired() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := strings.Join(c.fired, "; ")
	c.fired = nil
	return out
}

// status returns the status that the feed shows.
func status(t *testing.T, a *Alarms) string {
	t.Helper()
	var answer struct {
		Status struct {
			Active bool
			Reason struct {
				StatusCode int
				Message    string
			}
		}
	}
	text := tell(t, a, alarmCron, "READ", `{}`)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	s := answer.Status
	return fmt.Sprintf("%v %d %s", s.Active, s.Reason.StatusCode, s.Reason.Message)
}

// onClock runs f in a bubble that begins on 2000-01-01 at midnight.
func onClock(t *testing.T, f func(t *testing.T, c *clock, a *Alarms)) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		a, stop := c.alarms(t)
		f(t, c, a)
		stop()
	})
}

func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

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

func TestFeedRefusals(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		for _, tt := range []struct{ sort, args, want string }{
			{alarmCron, `{}`, "alarms trigger feed is missing the cron parameter"},
			{alarmCron, `{"cron":"x"}`, "cron pattern 'x' is not valid"},
			{alarmCron, `{"cron":["* * * * *"]}`, `cron pattern '["* * * * *"]' is not valid`},
			{alarmCron, `{"cron":"* * * * *","timezone":"Mars"}`, "Invalid timezone."},
			{alarmCron, `{"cron":"* * * * *","startDate":"soon"}`, "startDate parameter 'soon' is not a valid Date"},
			{alarmCron, `{"cron":"* * * * *","startDate":"1999-01-01"}`, "startDate parameter '1999-01-01' must be in the future"},
			{alarmCron, `{"cron":"* * * * *","stopDate":946684700000}`, "stopDate parameter '946684700000' must be in the future"},
			{alarmCron, `{"cron":"* * * * *","startDate":"2001-01-01","stopDate":"2000-02-01"}`, "stopDate parameter '2000-02-01' must be greater than the startDate parameter '2001-01-01'"},
			{alarmCron, `{"cron":"0 0 1 1 *","stopDate":"2000-02-01"}`, "the first scheduled trigger fire is not until after the stop date"},
			{alarmCron, `{"cron":"* * * * *","stopDate":"2000-02-01","maxTriggers":3}`, "maxTriggers is not allowed when the stopDate parameter is specified"},
			{alarmInterval, `{}`, "interval trigger feed is missing the minutes parameter"},
			{alarmInterval, `{"minutes":0}`, "interval trigger feed is missing the minutes parameter"},
			{alarmInterval, `{"minutes":1.5}`, "the minutes parameter must be an integer"},
			{alarmInterval, `{"minutes":"x"}`, "the minutes parameter must be an integer"},
			{alarmInterval, `{"minutes":-1}`, "the minutes parameter must be an integer greater than zero"},
			{alarmInterval, `{"minutes":1,"maxTriggers":1,"stopDate":"2001-01-01"}`, "maxTriggers is not supported for the interval trigger feed"},
			{alarmOnce, `{}`, "alarms once trigger feed is missing the date parameter"},
			{alarmOnce, `{"date":"2001-01-01","deleteAfterFire":"no"}`, "deleteAfterFire parameter must be one of [false, true, rules]."},
			{alarmOnce, `{"date":"2001-01-01","authKey":""}`, "no authKey parameter was provided"},
			{alarmOnce, `{"date":"2001-01-01","authKey":"uuid:wrong"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":""}`, "no trigger name parameter was provided"},
			{alarmOnce, `{"date":"2001-01-01","triggerName":"/ns/absent"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":"/other/t"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":7}`, "the parameters cannot be read: triggerName is of the wrong type"},
			{alarmOnce, `{"date":"2001-01-01","lifecycleEvent":"PAUSE"}`, "unsupported lifecycleEvent"},
			{alarmOnce, `{"lifecycleEvent":"READ"}`, "could not find trigger /ns/t in the database"},
			{alarmOnce, `{"lifecycleEvent":"UPDATE"}`, "could not find trigger /ns/t in the database"},
		} {
			var got struct{ Error string }
			text := tell(t, a, tt.sort, "CREATE", tt.args)
			if err := json.Unmarshal([]byte(text), &got); err != nil || got.Error != tt.want {
				t.Errorf("%s: %s, want %q", tt.args, text, tt.want)
			}
		}
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
		if got := tell(t, a, alarmCron, "UPDATE", `{"trigger_payload":""}`); got != `{"error":"no updatable parameters were specified"}` {
			t.Errorf("UPDATE with nothing: %s", got)
		}
		// A trigger that is gone can still be deleted here.
		c.set(func() { delete(c.triggers, triggerName("t")) })
		if got := tell(t, a, alarmCron, "DELETE", `{}`); !strings.Contains(got, "success") {
			t.Errorf("DELETE without a trigger: %s", got)
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

func TestResealAlarm(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
		v, err := c.engine.Alarm(t.Context(), triggerName("t"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ResealAlarm(v, fakeSealer{}, fakeSealer{}); err != nil {
			t.Error(err)
		}
		v.Trigger.Name = "other"
		if _, err := ResealAlarm(v, fakeSealer{}, fakeSealer{}); err == nil {
			t.Error("the body of one alarm was taken for another's")
		}
	})
}

// Whatever a feed is told, it answers with an object.
func FuzzFeed(f *testing.F) {
	for _, s := range []string{
		`{"cron":"* * * * *","timezone":"UTC","strict":"false","maxTriggers":3}`, `{"minutes":"2","startDate":"2030-01-01"}`,
		`{"date":99999999999999999999,"deleteAfterFire":true}`, `{"date":"2030-01-01T00:00Z","trigger_payload":[1]}`, `{"stopDate":1e300}`,
	} {
		f.Add("alarm", "CREATE", s)
	}
	f.Fuzz(func(t *testing.T, sort, event, args string) {
		if !json.Valid([]byte(args)) || !whisk.IsObject([]byte(args)) || !slices.Contains([]string{alarmCron, alarmInterval, alarmOnce}, sort) {
			return
		}
		c := newClock()
		a := NewAlarms(DefaultAlarmsConfig(), AlarmsDeps{
			Store: c, Queue: c, Triggers: c, Fires: c, Keys: c, Throttle: clockThrottle{c}, Sealer: fakeSealer{},
		})
		head, err := json.Marshal(map[string]string{"lifecycleEvent": event, "triggerName": "/_/t", "authKey": "uuid:key"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []string{event, "READ", "UPDATE", "DELETE"} {
			head = whisk.MergeObjects(head, []byte(`{"lifecycleEvent":"`+strings.Trim(e, "\"\\\n")+`"}`))
			if !json.Valid(head) {
				return
			}
			r := a.Feed(t.Context(), sort, &whisk.Call{Args: whisk.MergeObjects([]byte(args), head)})
			if !json.Valid(r.Result) || r.Status == whisk.WhiskError {
				t.Fatalf("%s: status %v, %s", e, r.Status, r.Result)
			}
		}
	})
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		`"2030"`: "2030-01-01T00:00:00Z", `"2030-06"`: "2030-06-01T00:00:00Z", `"2030-06-02"`: "2030-06-02T00:00:00Z",
		`"2030-06-02T03:04Z"`: "2030-06-02T03:04:00Z", `"2030-06-02T03:04:05.006+02:00"`: "2030-06-02T01:04:05Z",
		`1906599845006`: "2030-06-02T01:04:05Z", `"1906599845006"`: "", `"tomorrow"`: "", `"2030-13"`: "",
	} {
		var l loose
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		got := ""
		if at, ok := parseDate(l); ok {
			got = time.UnixMilli(at).UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
