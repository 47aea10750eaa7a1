package flow

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// AlarmsConfig holds the settings of [Alarms].
type AlarmsConfig struct {
	// Workers bounds the alarms that are looked after at once.
	Workers int

	// MakeUp is how far back ticks are fired one by one that were missed, for
	// instance while the process was down. Of those that are older only the first
	// is fired, for all of them.
	MakeUp time.Duration

	// LookEvery is how often the store is looked into though nothing is due:
	// other routers change alarms too.
	LookEvery time.Duration

	// RetryMin and RetryMax bound the rest of an alarm that could not be fired;
	// it grows with the square of the attempts.
	RetryMin, RetryMax time.Duration

	// Throttled is how often in a row an alarm may be refused by the throttle
	// before it is disabled.
	Throttled int

	// StoreTimeout bounds what is done about one alarm at a time.
	StoreTimeout time.Duration

	Logger  *slog.Logger // nil: discarded
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultAlarmsConfig returns the usual settings.
func DefaultAlarmsConfig() AlarmsConfig {
	return AlarmsConfig{
		Workers: 32, MakeUp: time.Hour, LookEvery: 10 * time.Second,
		RetryMin: time.Second, RetryMax: 100 * time.Second, Throttled: 10, StoreTimeout: 30 * time.Second,
	}
}

// AlarmsDeps are what [Alarms] stand on. All are needed.
type AlarmsDeps struct {
	Store    alarmStore
	Queue    stepper
	Triggers triggers
	Fires    fires
	Keys     authenticator
	Throttle fireThrottle
	Sealer   sealer
}

// alarmStore keeps alarms; see store.Engine.
type alarmStore interface {
	Alarm(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, error)
	Alarms(ctx context.Context, limit int) ([]whisk.Alarm, error)
	PutAlarm(ctx context.Context, a whisk.Alarm, ifRevision int64) error
	DeleteAlarm(ctx context.Context, trigger whisk.EntityName, ifRevision int64) error
}

// stepper is the part of [queue] that changes alarms.
type stepper interface {
	Step(ctx context.Context, step whisk.AlarmStep, rec *whisk.Activation, rows []whisk.QueueRow) (bool, error)
}

// triggers are those that alarms fire, and delete afterwards.
type triggers interface {
	Trigger(ctx context.Context, name whisk.EntityName) (*whisk.Trigger, error)
	DeleteTrigger(ctx context.Context, name whisk.EntityName, ifRevision int64) error
	Rule(ctx context.Context, name whisk.EntityName) (*whisk.Rule, error)
	DeleteRule(ctx context.Context, r *whisk.Rule, triggers ...*whisk.Trigger) error
}

// fires is Flow.
type fires interface {
	Fire(ctx context.Context, e whisk.Fire) (whisk.ActivationID, error)
}

// authenticator says whose a key is. What is invalid is of kind Unauthenticated.
type authenticator interface {
	Authenticate(ctx context.Context, key whisk.AuthKey) (*whisk.Identity, error)
	identities
}

// fireThrottle charges one fire, or refuses it with an error of kind Throttled.
type fireThrottle interface {
	Fire(id *whisk.Identity) error
}

// Alarms fires triggers by the clock. An alarm stands in the store with the tick
// that it fires next. To fire it is to commit, in one transaction, the step to
// the tick after and the rows of what is invoked, so that no tick is lost or
// comes twice, whatever ends the process, and however many look after the same
// store.
type Alarms struct {
	cfg  AlarmsConfig
	d    AlarmsDeps
	log  *slog.Logger
	m    alarmMetrics
	wake chan struct{} // capacity 1: look at what is due

	mu     sync.Mutex // guards all below
	busy   map[whisk.EntityName]bool
	failed map[whisk.EntityName]failing // those that could not be fired
}

// failing is an alarm that could not be fired the last time.
type failing struct {
	tick  int64
	tries int
	until time.Time // it rests
}

type alarmMetrics struct {
	fired, retried, ended, skipped *metrics.Counter
}

// NewAlarms returns alarms that do not go until Run is called.
func NewAlarms(cfg AlarmsConfig, d AlarmsDeps) *Alarms {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	return &Alarms{
		cfg: cfg, d: d, log: cfg.Logger, wake: make(chan struct{}, 1),
		busy: map[whisk.EntityName]bool{}, failed: map[whisk.EntityName]failing{},
		m: alarmMetrics{
			fired:   cfg.Metrics.NewCounter(`flow_alarm_ticks_total{outcome="fired"}`),
			retried: cfg.Metrics.NewCounter(`flow_alarm_ticks_total{outcome="retried"}`),
			skipped: cfg.Metrics.NewCounter(`flow_alarm_ticks_total{outcome="skipped"}`),
			ended:   cfg.Metrics.NewCounter(`flow_alarms_disabled_total`),
		},
	}
}

// Run fires alarms until ctx ends, and returns when those under way are done.
func (a *Alarms) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	slots := make(chan struct{}, a.cfg.Workers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(a.look(ctx, slots, &workers)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.wake:
		case <-timer.C:
		}
	}
}

func (a *Alarms) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// look sets workers on what is due and returns when to look again, if nothing
// happens before.
func (a *Alarms) look(ctx context.Context, slots chan struct{}, workers *sync.WaitGroup) time.Time {
	next := time.Now().Add(a.cfg.LookEvery)
	reading, cancel := context.WithTimeout(ctx, a.cfg.StoreTimeout)
	// Those that workers have in hand may be the first; one more is seen.
	list, err := a.d.Store.Alarms(reading, 2*a.cfg.Workers+a.resting())
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			a.log.Warn("alarms cannot be read", "err", err)
		}
		return time.Now().Add(a.cfg.RetryMin)
	}
	for i := range list {
		v, now := &list[i], time.Now()
		if due := time.UnixMilli(v.Due); due.After(now) {
			return earlier(next, due)
		}
		if until := a.rests(v); until.After(now) {
			next = earlier(next, until)
			continue
		}
		if !a.take(v.Trigger) {
			continue // its worker will poke
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			a.release(v.Trigger)
			return next
		}
		workers.Go(func() {
			a.tend(ctx, v)
			<-slots
			a.release(v.Trigger)
			a.poke()
		})
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (a *Alarms) take(trigger whisk.EntityName) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[trigger] {
		return false
	}
	a.busy[trigger] = true
	return true
}

func (a *Alarms) release(trigger whisk.EntityName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.busy, trigger)
}

// resting returns how many alarms may rest although they are due. It forgets
// those that have not been seen for long: they were deleted.
func (a *Alarms) resting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	old := time.Now().Add(-2*a.cfg.RetryMax - time.Minute)
	for trigger, f := range a.failed {
		if f.until.Before(old) && !a.busy[trigger] {
			delete(a.failed, trigger)
		}
	}
	return len(a.failed)
}

// rests returns until when an alarm rests, zero if it does not.
func (a *Alarms) rests(v *whisk.Alarm) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f, ok := a.failed[v.Trigger]; ok && f.tick == v.Tick {
		return f.until
	}
	return time.Time{}
}
