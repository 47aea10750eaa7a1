package whisk

import (
	"reflect"
	"strings"
)

// NamespaceLimits are an operator's overrides for one namespace; nil means the
// system's value. Field names are those of OpenWhisk's limits document.
type NamespaceLimits struct {
	InvocationsPerMinute  *int64    `json:"invocationsPerMinute,omitempty"`
	FiresPerMinute        *int64    `json:"firesPerMinute,omitempty"`
	ConcurrentInvocations *int64    `json:"concurrentInvocations,omitempty"`
	AllowedKinds          []string  `json:"allowedKinds,omitempty"`
	StoreActivations      *bool     `json:"storeActivations,omitempty"`
	MinActionMemory       *int64    `json:"minActionMemory,omitempty"`
	MaxActionMemory       *int64    `json:"maxActionMemory,omitempty"`
	MinActionLogs         *int64    `json:"minActionLogs,omitempty"`
	MaxActionLogs         *int64    `json:"maxActionLogs,omitempty"`
	MinActionTimeout      *int64    `json:"minActionTimeout,omitempty"`
	MaxActionTimeout      *int64    `json:"maxActionTimeout,omitempty"`
	MinActionConcurrency  *int64    `json:"minActionConcurrency,omitempty"`
	MaxActionConcurrency  *int64    `json:"maxActionConcurrency,omitempty"`
	MaxParameterSize      *ByteSize `json:"maxParameterSize,omitempty"`
	MaxPayloadSize        *ByteSize `json:"maxPayloadSize,omitempty"` // of payloads and of results
	TruncationSize        *ByteSize `json:"truncationSize,omitempty"`

	Retention *Retention `json:"retention,omitempty"` // of activation records
}

// Merge returns n with what over has laid over it.
func (n NamespaceLimits) Merge(over NamespaceLimits) NamespaceLimits {
	to, from := reflect.ValueOf(&n).Elem(), reflect.ValueOf(over)
	for i := range to.NumField() {
		if f := from.Field(i); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
	return n
}

// maxAllowedKinds bounds a whitelist, which goes along with each identity.
const maxAllowedKinds = 100

// Validate returns an error of kind [BadRequest] for the first value that makes
// no sense. Whether a value is within the system's bounds does not matter: see
// [SystemLimits.For].
func (n NamespaceLimits) Validate() error {
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch f := v.Field(i).Interface().(type) {
		case *int64:
			if f != nil && *f < 0 {
				return Errorf(BadRequest, "%s must not be negative", name)
			}
		case *ByteSize:
			if f != nil && *f <= 0 {
				return Errorf(BadRequest, "%s must be greater than 0", name)
			}
		case *Retention:
			if f != nil && (*f < 0 || *f > MaxRetention) {
				return Errorf(BadRequest, "%s must be 0 to %v", name, MaxRetention)
			}
		}
	}
	if len(n.AllowedKinds) > maxAllowedKinds {
		return Errorf(BadRequest, "allowedKinds has %d kinds, at most %d are allowed", len(n.AllowedKinds), maxAllowedKinds)
	}
	for _, k := range n.AllowedKinds {
		if k == "" || len(k) > MaxNameLength {
			return Errorf(BadRequest, "allowedKinds has a kind of %d bytes", len(k))
		}
	}
	return nil
}

// IsZero reports whether nothing is overridden.
func (n NamespaceLimits) IsZero() bool { return reflect.ValueOf(n).IsZero() }

// For returns the limits that hold for a namespace: the overrides, never
// beyond the system's bounds.
func (s SystemLimits) For(n NamespaceLimits) SystemLimits {
	clamp := func(r *Range, lo, hi *int64) {
		if lo != nil {
			r.Min = max(r.Min, min(*lo, r.Max))
		}
		if hi != nil {
			r.Max = min(r.Max, max(*hi, r.Min))
		}
		r.Default = min(max(r.Default, r.Min), r.Max)
	}
	clamp(&s.Memory, n.MinActionMemory, n.MaxActionMemory)
	clamp(&s.Logs, n.MinActionLogs, n.MaxActionLogs)
	clamp(&s.Timeout, n.MinActionTimeout, n.MaxActionTimeout)
	clamp(&s.Concurrency, n.MinActionConcurrency, n.MaxActionConcurrency)
	for dst, src := range map[*int64]*int64{
		&s.InvocationsPerMinute:  n.InvocationsPerMinute,
		&s.FiresPerMinute:        n.FiresPerMinute,
		&s.ConcurrentInvocations: n.ConcurrentInvocations,
	} {
		if src != nil {
			*dst = *src
		}
	}
	cut := func(dst *int64, most *ByteSize) {
		if most != nil {
			*dst = min(*dst, int64(*most))
		}
	}
	cut(&s.ParameterSize, n.MaxParameterSize)
	cut(&s.PayloadSize, n.MaxPayloadSize)
	cut(&s.ResultSize, n.MaxPayloadSize)
	cut(&s.TruncationSize, n.TruncationSize)
	return s
}
