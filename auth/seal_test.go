package auth

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestSeal(t *testing.T) {
	a := testKeys(1)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.SliceOf(rapid.Byte()).Draw(t, "aad")
		sealed, err := a.Seal(plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Open(sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %x, %v, want %x", got, err, plain)
		}
		if again, _ := a.Seal(plain, aad); bytes.Equal(sealed, again) {
			t.Fatal("sealed twice alike")
		}
		if _, err := a.Open(sealed, append(aad, 0)); err != ErrSealed {
			t.Fatalf("other aad: %v", err)
		}
		if _, err := a.keyBox.open(sealed, aad); err != ErrSealed {
			t.Fatalf("other purpose: %v", err)
		}
		i := rapid.IntRange(0, len(sealed)-1).Draw(t, "changed byte")
		bad := bytes.Clone(sealed)
		bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := a.Open(bad, aad); err != ErrSealed {
			t.Fatalf("changed byte: %v", err)
		}
		if _, err := a.Open(sealed[:i], aad); err != ErrSealed {
			t.Fatalf("cut at %d: %v", i, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	a := testKeys(1)
	s, err := a.Seal([]byte("x"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(nil))
	f.Add([]byte{sealVersion})
	f.Add(s[:len(s)-1])
	f.Add(bytes.Repeat([]byte{sealVersion}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := a.Open(b, nil); err == nil && !bytes.Equal(b, s) {
			t.Error("a forged text was opened")
		}
	})
}
