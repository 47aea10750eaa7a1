package flow

import (
	"context"
	"encoding/json"
	"fmt"
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
	firing sync.Mutex
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
	c.firing.Lock() // or another's step would be taken for this one
	defer c.firing.Unlock()
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
