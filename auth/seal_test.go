package auth

import (
	"bytes"
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
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

// What is shown of an encrypted value counts as what it was.
func TestSealedOverhead(t *testing.T) {
	for _, v := range []string{`1`, `""`, `"a"`, `"ab"`, `"abc"`, `[1,2,3]`} {
		b, err := testKeys(1).SealParameter("ns", []byte(v))
		if err != nil {
			t.Fatal(err)
		}
		p := whisk.Parameter{Key: "k", Value: []byte(`"` + base64.StdEncoding.EncodeToString(b) + `"`), Encryption: whisk.AES256}
		if got, want := p.Size(), int64(1+len(v)); got != want {
			t.Errorf("size of sealed %s = %d, want %d", v, got, want)
		}
	}
}

func TestSealedParametersStayInTheirNamespace(t *testing.T) {
	r := testKeys(1)
	b, err := r.SealParameter("ann", []byte(`"x"`))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.OpenParameter("ann", b); err != nil || string(got) != `"x"` {
		t.Errorf("opened %s, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another namespace":  func() ([]byte, error) { return r.OpenParameter("bob", b) },
		"another master key": func() ([]byte, error) { return testKeys(2).OpenParameter("ann", b) },
		"another purpose":    func() ([]byte, error) { return r.Open(b, []byte("ann")) },
	} {
		if _, err := open(); err != ErrSealed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
