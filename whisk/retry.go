package whisk

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// AnnotationRetry is the key of the annotation that asks for retries.
const AnnotationRetry = "retry"

// Bounds and defaults of a [Retry].
const (
	MaxAttempts    = 10
	MaxRetryPause  = 15 * time.Minute
	MaxRetryAge    = 7 * 24 * time.Hour
	defaultBackoff = time.Second
)

// Retry says how often the queued calls of an action are run until one
// succeeds. Calls that somebody waits for are run once.
type Retry struct {
	Attempts int           `json:"attempts"`         // runs at most, the first one too
	Backoff  time.Duration `json:"backoff"`          // before the second; doubles from one to the next
	MaxAge   time.Duration `json:"maxAge,omitempty"` // without having started by then it is given up; 0: the router's setting
}

// Pause returns how long to wait after the attempt of that number, 0 if it is
// the last one.
func (r *Retry) Pause(attempt int) time.Duration {
	if attempt >= r.Attempts {
		return 0
	}
	d := max(r.Backoff, time.Millisecond)
	for ; attempt > 1 && d < MaxRetryPause; attempt-- {
		d *= 2
	}
	return min(d, MaxRetryPause)
}

// ParseRetry reads the value of the annotation: an object with attempts (1 to
// [MaxAttempts]) and, if wanted, backoff and maxAge, each in ms or as a text
// such as "30s".
func ParseRetry(value json.RawMessage) (*Retry, error) {
	var v struct {
		Attempts        *int
		Backoff, MaxAge span
	}
	v.Backoff = span(defaultBackoff)
	if !IsObject(value) {
		return nil, errors.New("it must be an object such as {\"attempts\": 3}")
	}
	if err := json.Unmarshal(value, &v); err != nil {
		if _, ours := errors.AsType[spanError](err); ours {
			return nil, err
		}
		return nil, errors.New("attempts must be a number, backoff and maxAge numbers of ms or texts such as \"30s\"")
	}
	switch {
	case v.Attempts == nil || *v.Attempts < 1 || *v.Attempts > MaxAttempts:
		return nil, fmt.Errorf("attempts must be 1 to %d", MaxAttempts)
	case v.Backoff < 0 || time.Duration(v.Backoff) > MaxRetryPause:
		return nil, fmt.Errorf("backoff must be 0 to %v", MaxRetryPause)
	case v.MaxAge < 0 || time.Duration(v.MaxAge) > MaxRetryAge:
		return nil, fmt.Errorf("maxAge must be 0 to %v", MaxRetryAge)
	}
	return &Retry{Attempts: *v.Attempts, Backoff: time.Duration(v.Backoff), MaxAge: time.Duration(v.MaxAge)}, nil
}

// span is a duration in JSON: a number of ms, or a text.
type span time.Duration

type spanError string

func (e spanError) Error() string { return string(e) }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *span) UnmarshalJSON(b []byte) error {
	if string(b) == "null" { // as if it were not there
		return nil
	}
	var text string
	if json.Unmarshal(b, &text) == nil {
		d, err := time.ParseDuration(text)
		if err != nil {
			return spanError(fmt.Sprintf("%q is no duration such as \"30s\"", text))
		}
		*s = span(d)
		return nil
	}
	var ms int64
	if err := json.Unmarshal(b, &ms); err != nil {
		return err
	}
	const most = int64(MaxRetryAge/time.Millisecond) + 1 // beyond it only the bounds count
	*s = span(time.Duration(min(max(ms, -1), most)) * time.Millisecond)
	return nil
}
