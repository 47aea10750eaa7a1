package whisk

// AuthKey is a credential: the user name and password of HTTP Basic.
type AuthKey struct {
	UUID string
	Key  string // 64 characters; a secret
}

// String hides the key, so that no log shows it by accident.
func (k AuthKey) String() string { return k.UUID + ":…" }

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
}
