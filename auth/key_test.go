package auth

import (
	"encoding/base64"
	"strings"
	"testing"

	"hearth/whisk"
)

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestParseBasic(t *testing.T) {
	const guest = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502:123zO3xZCLrMN6v2BKK1dXYFpXlPkccOFqm12CdAsMgRU4VrNZ9lyGVCGuMDGIwP"
	for _, tc := range []struct {
		name, header string
		want         error
	}{
		{"good", basic(guest), nil},
		{"scheme in lower case", "basic" + strings.TrimPrefix(basic(guest), "Basic"), nil},
		{"spaces", "  " + strings.Replace(basic(guest), " ", "   ", 1) + " ", nil},
		{"no header", "", ErrMissing},
		{"other scheme", "Bearer abc", ErrMissing},
		{"no text", "Basic", ErrInvalid},
		{"no base64", "Basic ???", ErrInvalid},
		{"no colon", basic(strings.Replace(guest, ":", "", 1)), ErrInvalid},
		{"short", basic(guest[:len(guest)-1]), ErrInvalid},
		{"long", basic(guest + "x"), ErrInvalid},
		{"control character", basic(guest[:len(guest)-1] + "\n"), ErrInvalid},
		{"huge", basic(strings.Repeat("x", 1<<20)), ErrInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, err := ParseBasic(tc.header)
			if err != tc.want {
				t.Fatalf("err = %v, want %v", err, tc.want)
			}
			if err == nil && k.Compact() != guest {
				t.Errorf("key = %q", k.Compact())
			}
		})
	}
}

func FuzzParseBasic(f *testing.F) {
	f.Add("")
	f.Add("Bearer x")
	f.Add(basic(NewKey().Compact()))
	f.Add("Basic " + strings.Repeat("=", 600))
	f.Fuzz(func(t *testing.T, header string) {
		k, err := ParseBasic(header)
		if err != nil {
			if whisk.KindOf(err) != whisk.Unauthenticated || k != (whisk.AuthKey{}) {
				t.Fatalf("ParseBasic(%q) = %v, %v", header, k, err)
			}
			return
		}
		again, err := ParseBasic(basic(k.Compact()))
		if err != nil || again != k {
			t.Fatalf("%q: read again: %v", header, err)
		}
	})
}

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		k := NewKey()
		if !wellFormed(k) || k.UUID[14] != '4' {
			t.Fatalf("malformed key %s", k.UUID)
		}
		if strings.Trim(k.Key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatal("a key with other than letters and digits")
		}
		if seen[k.Key] || seen[k.UUID] {
			t.Fatal("a key twice")
		}
		seen[k.Key], seen[k.UUID] = true, true
	}
}

func TestCheckSubject(t *testing.T) {
	for s, ok := range map[string]bool{
		"guest": true, "äöüßé": true, "four": false, "  four  ": false, "": false, strings.Repeat("x", 257): false,
	} {
		if err := CheckSubject(s); (err == nil) != ok {
			t.Errorf("CheckSubject(%q) = %v", s, err)
		}
	}
}

func TestCheckKind(t *testing.T) {
	free := &whisk.Identity{}
	bound := &whisk.Identity{Overrides: whisk.NamespaceLimits{AllowedKinds: []string{"nodejs:20"}}}
	if err := CheckKind(free, "python:3"); err != nil {
		t.Error(err)
	}
	if err := CheckKind(bound, "nodejs:20"); err != nil {
		t.Error(err)
	}
	err := CheckKind(bound, "python:3")
	const want = "The supplied authentication is not authorized to access actions of kind 'python:3'."
	if whisk.KindOf(err) != whisk.Forbidden || whisk.MessageOf(err) != want {
		t.Errorf("err = %v", err)
	}
}
