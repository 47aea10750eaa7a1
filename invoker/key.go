package invoker

import (
	"crypto/sha256"

	"hearth/whisk"
)

// warmKey is what must be equal for a call to be run in an initialised
// sandbox: who invokes, the very action, and all that its init was given.
type warmKey struct {
	namespace whisk.Namespace
	action    whisk.ActionName
	revision  int64
	code      whisk.Digest
	limits    whisk.Limits
	env       [sha256.Size]byte // of environment and API key; zero if there are none
}

func keyOf(c *whisk.Call) warmKey {
	t := c.Target
	k := warmKey{
		namespace: c.Namespace, action: t.Name, revision: t.Revision,
		code: t.Exec.Code, limits: t.Limits,
	}
	if len(c.Env) > 0 || c.APIKey != "" {
		h := sha256.New()
		h.Write(c.Env)
		h.Write([]byte{0}) // no JSON text holds it
		h.Write([]byte(c.APIKey))
		h.Sum(k.env[:0])
	}
	return k
}
