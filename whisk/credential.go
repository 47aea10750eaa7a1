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

// Account is one way into a namespace as an operator sees it.
type Account struct {
	Subject   string
	Namespace Namespace
	Key       AuthKey
	Blocked   bool
}

// AccountRequest asks for a way into a namespace.
type AccountRequest struct {
	Subject   string
	Namespace Namespace // "": of the subject's name
	Key       *AuthKey  // nil: a random one
	Revoke    bool      // the one key that the subject has for the namespace is replaced
}
