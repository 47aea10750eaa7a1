package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"

	"hearth/whisk"
)

// Keyring holds the keys derived from a master key, and does everything for
// which they are needed. Many may use it at once.
type Keyring struct {
	id       [32]byte
	macs     sync.Pool // of *macState
	keyBox   box       // seals credentials' keys
	dataBox  box       // seals queue rows
	paramBox box       // seals parameters
}

// NewKeyring derives the keys of a master key, which must not be zero.
func NewKeyring(master MasterKey) (*Keyring, error) {
	if master == (MasterKey{}) {
		return nil, fmt.Errorf("auth: the master key is missing")
	}
	var keys [5][]byte
	for i, purpose := range []string{purposeMAC, purposeCredential, purposeData, purposeParameter, purposeID} {
		k, err := derive(master, purpose)
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	r := &Keyring{id: [32]byte(keys[4]), keyBox: box{keys[1]}, dataBox: box{keys[2]}, paramBox: box{keys[3]}}
	r.macs.New = func() any { return &macState{h: hmac.New(sha256.New, keys[0])} }
	return r, nil
}

// Format hides the keys from every verb of package fmt.
func (r *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "keyring") }

// macState is an HMAC with the key's work done, and room for its input.
type macState struct {
	h   hash.Hash
	buf [uuidLength + 1 + keyLength]byte
}

// mac returns what the store keeps of a well-formed key. The uuid is in it, so
// that the value of one credential is worth nothing in another.
func (r *Keyring) mac(k whisk.AuthKey) (out [32]byte) {
	s := r.macs.Get().(*macState)
	b := append(append(append(s.buf[:0], k.UUID...), 0), k.Key...)
	s.h.Reset()
	s.h.Write(b)
	s.h.Sum(out[:0])
	clear(s.buf[:])
	r.macs.Put(s)
	return out
}

// credential returns what is stored of a key that opens ns to the subject.
func (r *Keyring) credential(k whisk.AuthKey, subject string, ns whisk.Namespace) (whisk.Credential, error) {
	mac := r.mac(k)
	sealed, err := r.keyBox.seal([]byte(k.Key), []byte(k.UUID))
	if err != nil {
		return whisk.Credential{}, err
	}
	return whisk.Credential{UUID: k.UUID, Subject: subject, Namespace: ns, MAC: mac[:], Sealed: sealed}, nil
}

// key returns the key of a credential.
func (r *Keyring) key(uuid string, sealed []byte) (whisk.AuthKey, error) {
	key, err := r.keyBox.open(sealed, []byte(uuid))
	if err != nil {
		return whisk.AuthKey{}, fmt.Errorf("key of credential: %w", err)
	}
	return whisk.AuthKey{UUID: uuid, Key: string(key)}, nil
}

// Seal encrypts plain for storage; aad is bound to it and must be given to Open.
func (r *Keyring) Seal(plain, aad []byte) ([]byte, error) { return r.dataBox.seal(plain, aad) }

// Open returns what was sealed. If that is not possible the error is [ErrSealed].
func (r *Keyring) Open(sealed, aad []byte) ([]byte, error) { return r.dataBox.open(sealed, aad) }

// SealParameter encrypts the value of a parameter for storage. It can be opened
// as one of the same namespace only: sealed values are shown to users, and of
// what is shared to strangers, who must not have them opened as their own.
func (r *Keyring) SealParameter(ns whisk.Namespace, plain []byte) ([]byte, error) {
	return r.paramBox.seal(plain, []byte(ns))
}

// OpenParameter returns what SealParameter has sealed, else [ErrSealed].
func (r *Keyring) OpenParameter(ns whisk.Namespace, sealed []byte) ([]byte, error) {
	return r.paramBox.open(sealed, []byte(ns))
}
