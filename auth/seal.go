package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSealed means that a sealed text was not made by this master key for this
// purpose, or was changed since.
var ErrSealed = errors.New("sealed text cannot be opened")

// The purposes of the keys derived from the master key. Changing a text makes
// everything stored under it unreadable.
const (
	purposeMAC        = "hearth credential mac 1"
	purposeCredential = "hearth credential seal 1"
	purposeData       = "hearth data seal 1"
	purposeParameter  = "hearth parameter seal 1"
	purposeID         = "hearth master key id 1"
)

func derive(master MasterKey, purpose string) ([]byte, error) {
	k, err := hkdf.Key(sha256.New, master[:], nil, purpose, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return k, nil
}

// A sealed text is
//
//	version (1 byte) | salt (16) | nonce (12) | ciphertext | tag (16)
//
// and its AES-256 key is HMAC-SHA-256(box key, version | salt). A key per text
// keeps random nonces far from repeating, however many rows go through the
// queue in the life of a master key.
const (
	sealVersion = 1
	saltSize    = 16
	sealHead    = 1 + saltSize
	sealMin     = sealHead + 12 + 16
)

// box seals under one derived key.
type box struct{ key []byte }

func (b box) aead(head []byte) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, b.key)
	h.Write(head)
	c, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	g, err := cipher.NewGCMWithRandomNonce(c)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return g, nil
}

func (b box) seal(plain, aad []byte) ([]byte, error) {
	out := make([]byte, sealHead, sealMin+len(plain))
	out[0] = sealVersion
	rand.Read(out[1:sealHead]) // never fails since Go 1.24
	g, err := b.aead(out[:sealHead])
	if err != nil {
		return nil, err
	}
	return g.Seal(out, nil, plain, aad), nil
}

func (b box) open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < sealMin || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	g, err := b.aead(sealed[:sealHead])
	if err != nil {
		return nil, err
	}
	plain, err := g.Open(nil, nil, sealed[sealHead:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
