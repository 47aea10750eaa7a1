package whisk

import (
	"errors"
	"fmt"
	"io"
)

// AuthKey is a credential: the user name and password of HTTP Basic. However it
// is printed, logged or encoded, the key stays hidden; only Compact shows it.
type AuthKey struct {
	UUID string
	Key  string // 64 characters; a secret
}

// String hides the key, so that no log shows it by accident.
func (k AuthKey) String() string { return k.UUID + ":…" }

// Format hides the key from every verb of package fmt, %#v and %q included.
func (k AuthKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// MarshalText hides the key from encoders, those of structured logs among them.
func (k AuthKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText refuses: what MarshalText wrote holds no key.
func (k *AuthKey) UnmarshalText([]byte) error { return errHiddenKey }

var errHiddenKey = errors.New("a key is not read from encoded text")

// Compact returns "uuid:key", for the one who owns it.
func (k AuthKey) Compact() string { return k.UUID + ":" + k.Key }

// Identity is who is asking: the subject, the one namespace that its
// credential opens, and what the operator allows there. It holds no key and is
// shared between requests, so nobody changes it.
type Identity struct {
	Subject   string
	Namespace Namespace
	UUID      string // the credential's; per-minute counters hang on it
	Overrides NamespaceLimits
	Limits    SystemLimits // the system's with Overrides laid over them
	Bounds    *Bounds      // those of Limits, if they differ from the system's
}

// Unstored reports whether the namespace has switched records off.
func (id *Identity) Unstored() bool {
	stored := id.Overrides.StoreActivations
	return stored != nil && !*stored
}

// Right is what somebody may do with an entity.
type Right uint8

// The rights. Read is to see, Activate to invoke or fire.
const (
	Read Right = iota + 1
	Put
	Delete
	Activate
)

// BoundsOf returns what a call of an action with these limits has to take along
// of the caller's bounds: nil where the system's hold and l is within them.
func (id *Identity) BoundsOf(l Limits) *Bounds {
	if id.Bounds != nil || id.Limits.Check(l) == nil {
		return id.Bounds
	}
	b := id.Limits.Bounds()
	return &b
}
