package whisk

import "time"

// Limits are one action's limits.
type Limits struct {
	Timeout     int64 `json:"timeout"`     // ms; init and run each get all of it
	Memory      int64 `json:"memory"`      // MB
	Logs        int64 `json:"logs"`        // MB; 0 collects none
	Concurrency int64 `json:"concurrency"` // activations at once in one sandbox
}

// TimeoutDuration returns Timeout as a duration.
func (l Limits) TimeoutDuration() time.Duration { return time.Duration(l.Timeout) * time.Millisecond }

// Range is an inclusive range with the value that stands where none is given.
type Range struct{ Min, Default, Max int64 }

// SystemLimits are the operator's bounds on everything users send. They are
// settings; DefaultSystemLimits has OpenWhisk's values, but for concurrency.
// Source: the contract's api.md §4 and operations.md §10.
type SystemLimits struct {
	Timeout     Range // ms
	Memory      Range // MB
	Logs        Range // MB
	Concurrency Range // activations

	CodeSize       int64 // bytes of exec: code as sent, main and image name
	ParameterSize  int64 // bytes of parameters, and apart from them of annotations
	PayloadSize    int64 // bytes of an invoke's body
	ResultSize     int64 // bytes of an action's result; a larger one is an error
	TruncationSize int64 // bytes that are shown of a larger one
	EntitySize     int64 // bytes of an entity PUT's body
	JSONDepth      int   // nesting of any JSON body
	SequenceLength int   // atomic actions in a sequence
	ListDefault    int   // rows of a list when the request names no limit
	ListMax        int

	BlockingWait time.Duration // longest wait for a blocking invoke

	InvocationsPerMinute  int64
	FiresPerMinute        int64
	ConcurrentInvocations int64
}

// DefaultSystemLimits returns OpenWhisk's limits.
func DefaultSystemLimits() SystemLimits {
	return SystemLimits{
		Timeout:     Range{100, 60_000, 300_000},
		Memory:      Range{128, 256, 512},
		Logs:        Range{0, 10, 10},
		Concurrency: Range{1, 1, 64}, // a stated deviation: OpenWhisk's is 1

		CodeSize:       48 << 20,
		ParameterSize:  1 << 20,
		PayloadSize:    1 << 20,
		ResultSize:     1 << 20,
		TruncationSize: 1 << 20,
		EntitySize:     50 << 20,
		JSONDepth:      512,
		SequenceLength: 50,
		ListDefault:    30,
		ListMax:        200,

		BlockingWait: 60 * time.Second,

		InvocationsPerMinute:  60,
		FiresPerMinute:        60,
		ConcurrentInvocations: 30,
	}
}

// Validate reports the first setting that makes no sense.
func (s SystemLimits) Validate() error {
	for _, r := range []struct {
		name string
		Range
	}{{"timeout", s.Timeout}, {"memory", s.Memory}, {"logs", s.Logs}, {"concurrency", s.Concurrency}} {
		if r.Min < 0 || r.Default < r.Min || r.Max < r.Default {
			return Errorf(BadRequest, "limit %s: want 0 ≤ min ≤ default ≤ max, got %d, %d, %d", r.name, r.Min, r.Default, r.Max)
		}
	}
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"code size", s.CodeSize}, {"parameter size", s.ParameterSize}, {"payload size", s.PayloadSize},
		{"result size", s.ResultSize}, {"truncation size", s.TruncationSize}, {"entity size", s.EntitySize}, {"JSON depth", int64(s.JSONDepth)},
		{"sequence length", int64(s.SequenceLength)}, {"list default", int64(s.ListDefault)},
		{"list maximum", int64(s.ListMax)}, {"blocking wait", int64(s.BlockingWait)},
	} {
		if v.n <= 0 {
			return Errorf(BadRequest, "limit %s must be greater than 0, got %d", v.name, v.n)
		}
	}
	if s.ListDefault > s.ListMax {
		return Errorf(BadRequest, "limit list default is %d, beyond the list maximum of %d", s.ListDefault, s.ListMax)
	}
	return nil
}

// Default returns the limits of an action that names none.
func (s SystemLimits) Default() Limits {
	return Limits{s.Timeout.Default, s.Memory.Default, s.Logs.Default, s.Concurrency.Default}
}

// Check returns an error of kind [BadRequest] with OpenWhisk's text for the
// first of l outside its range.
func (s SystemLimits) Check(l Limits) error {
	b := s.Bounds()
	return b.Check(l)
}

// Bounds are what holds for a caller's runs, to be looked at where they run: an
// action may have been stored under other limits.
type Bounds struct {
	Timeout, Memory, Logs, Concurrency Range
	ResultSize, TruncationSize         int64
}

// Bounds returns the part of s that is looked at again when an action runs.
func (s SystemLimits) Bounds() Bounds {
	return Bounds{s.Timeout, s.Memory, s.Logs, s.Concurrency, s.ResultSize, s.TruncationSize}
}

// Check is [SystemLimits.Check].
func (b *Bounds) Check(l Limits) error {
	for _, c := range []struct {
		v          int64
		r          Range
		what, unit string
	}{
		{l.Timeout, b.Timeout, "duration", " milliseconds"},
		{l.Memory, b.Memory, "memory size", " MB"},
		{l.Logs, b.Logs, "log size", " MB"},
		{l.Concurrency, b.Concurrency, "concurrency", ""},
	} {
		if c.v > c.r.Max {
			return Errorf(BadRequest, "%s %d%s exceeds allowed threshold of %d%s", c.what, c.v, c.unit, c.r.Max, c.unit)
		}
		if c.v < c.r.Min {
			return Errorf(BadRequest, "%s %d%s below allowed threshold of %d%s", c.what, c.v, c.unit, c.r.Min, c.unit)
		}
	}
	return nil
}
