package auth

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"hearth/whisk"
)

// Refusals, with OpenWhisk's texts. A blocked subject, an unknown uuid and a
// wrong key look alike.
var (
	ErrMissing = &whisk.Error{Kind: whisk.Unauthenticated, Message: "The resource requires authentication, which was not supplied with the request"}
	ErrInvalid = &whisk.Error{Kind: whisk.Unauthenticated, Message: "The supplied authentication is invalid"}
)

const (
	uuidLength = 36
	keyLength  = 64

	// maxBasic bounds the base64 text that is decoded; a valid key has 136.
	maxBasic = 512
)

// ParseBasic reads the Authorization header of a request. Without a header, or
// with one of another scheme, the error is [ErrMissing]; with one that cannot
// be a key it is [ErrInvalid].
func ParseBasic(header string) (whisk.AuthKey, error) {
	scheme, text, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return whisk.AuthKey{}, ErrMissing
	}
	text = strings.TrimSpace(text)
	if len(text) > maxBasic {
		return whisk.AuthKey{}, ErrInvalid
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return whisk.AuthKey{}, ErrInvalid
	}
	return ParseKey(string(b))
}

// ParseKey reads "uuid:key". What is no uuid or no key of 64 characters is
// [ErrInvalid].
func ParseKey(s string) (whisk.AuthKey, error) {
	uuid, key, _ := strings.Cut(s, ":")
	k := whisk.AuthKey{UUID: uuid, Key: key}
	if !wellFormed(k) {
		return whisk.AuthKey{}, ErrInvalid
	}
	return k, nil
}

// CheckKey returns nil if an operator may give out the key, else an error of
// kind [whisk.BadRequest].
func CheckKey(k whisk.AuthKey) error {
	switch {
	case !validUUID(k.UUID):
		return whisk.Errorf(whisk.BadRequest, "authorization id is not a valid UUID")
	case len(k.Key) < keyLength:
		return whisk.Errorf(whisk.BadRequest, "authorization key must be at least %d characters long", keyLength)
	case !validKey(k.Key):
		return whisk.Errorf(whisk.BadRequest, "authorization key must be %d printable characters without spaces", keyLength)
	}
	return nil
}

func wellFormed(k whisk.AuthKey) bool { return validUUID(k.UUID) && validKey(k.Key) }

func validUUID(s string) bool {
	if len(s) != uuidLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}

// validKey asks for 64 printable ASCII characters without spaces. Generated
// keys have letters and digits only; given ones may have more.
func validKey(s string) bool {
	if len(s) != keyLength {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// NewKey returns a random key.
func NewKey() whisk.AuthKey {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	key := make([]byte, 0, keyLength)
	for len(key) < keyLength {
		var b [2 * keyLength]byte
		rand.Read(b[:]) // never fails since Go 1.24
		for _, c := range b {
			// Six bits each; the two values beyond the alphabet are thrown away.
			if c &= 63; int(c) < len(alphabet) && len(key) < keyLength {
				key = append(key, alphabet[c])
			}
		}
	}
	return whisk.AuthKey{UUID: newUUID(), Key: string(key)}
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// CheckSubject returns nil if an operator may give a subject this name, else an
// error of kind [whisk.BadRequest].
func CheckSubject(s string) error {
	if utf8.RuneCountInString(strings.TrimSpace(s)) < 5 {
		return whisk.Errorf(whisk.BadRequest, "Subject name must be at least 5 characters")
	}
	if len(s) > whisk.MaxNameLength {
		return whisk.Errorf(whisk.BadRequest, "Subject longer than allowed: %d > %d.", len(s), whisk.MaxNameLength)
	}
	return nil
}
