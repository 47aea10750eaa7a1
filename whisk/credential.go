package whisk

// Credential is one way into a namespace, as stored: the key itself is not in
// it but for its sealed form.
type Credential struct {
	UUID      string
	Subject   string
	Namespace Namespace
	MAC       []byte // HMAC-SHA-256 of the key under the master key
	Sealed    []byte // the key, AES-256-GCM under the master key
	Blocked   bool
}
