package invoker

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hearth/whisk"
)

func digestOf(s string) whisk.Digest { return sha256.Sum256([]byte(s)) }

func newTestCache(t *testing.T, dir string, max int64) *codeCache {
	t.Helper()
	c, err := newCodeCache(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func putUnpinned(t *testing.T, c *codeCache, s string) {
	t.Helper()
	if err := c.put(digestOf(s), []byte(s)); err != nil {
		t.Fatal(err)
	}
	c.unpin(digestOf(s))
}

// cached returns which of the texts are cached, without using them.
func cached(c *codeCache, texts ...string) string {
	var out []string
	for _, s := range texts {
		if c.files[digestOf(s)] != nil {
			out = append(out, s[:1])
		}
	}
	return strings.Join(out, "")
}

func TestCodeCacheDropsWhatWasUsedLongestAgo(t *testing.T) {
	dir := t.TempDir()
	c := newTestCache(t, dir, 30)
	a, b, d, e := "a234567890", "b234567890", "d234567890", "e234567890"
	putUnpinned(t, c, a)
	putUnpinned(t, c, b)
	putUnpinned(t, c, d)
	c.pin(digestOf(a)) // used, and held
	putUnpinned(t, c, e)
	if got := cached(c, a, b, d, e); got != "ade" {
		t.Errorf("cached = %s, want ade", got)
	}
	for range 3 {
		putUnpinned(t, c, b)
		putUnpinned(t, c, d)
		putUnpinned(t, c, e)
	}
	if got := cached(c, a, b, d, e); got != "ade" || c.bytes != 30 {
		t.Errorf("cached = %s, %d bytes; want ade, 30", got, c.bytes)
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("%d files, want 3", len(files))
	}
	if b, err := os.ReadFile(c.path(digestOf(a))); err != nil || string(b) != a {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestCodeCacheChecksTheDigest(t *testing.T) {
	c := newTestCache(t, t.TempDir(), 100)
	if err := c.put(digestOf("a"), []byte("b")); !errors.Is(err, errDigest) {
		t.Errorf("put = %v, want errDigest", err)
	}
	if c.pin(digestOf("a")) {
		t.Error("wrong code is cached")
	}
}

func TestCodeCacheForgetsARemovedFile(t *testing.T) {
	c := newTestCache(t, t.TempDir(), 100)
	putUnpinned(t, c, "a")
	c.pin(digestOf("a"))
	if err := os.Remove(c.path(digestOf("a"))); err != nil {
		t.Fatal(err)
	}
	if p := c.path(digestOf("a")); p != "" {
		t.Errorf("path = %s, want none", p)
	}
	c.unpin(digestOf("a"))
	if c.pin(digestOf("a")) || c.bytes != 0 {
		t.Errorf("it is still there, %d bytes", c.bytes)
	}
}

func TestCodeCacheAdoptsWhatIsWhole(t *testing.T) {
	dir := t.TempDir()
	c := newTestCache(t, dir, 100)
	for _, s := range []string{"a", "b", "c"} {
		putUnpinned(t, c, s)
	}
	if err := os.WriteFile(c.path(digestOf("b")), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "junk"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c = newTestCache(t, dir, 100)
	putUnpinned(t, c, "c") // before adopt gets there
	c.adopt(t.Context())
	if got := cached(c, "a", "b", "c"); got != "ac" || c.bytes != 2 {
		t.Errorf("cached = %s, %d bytes; want ac, 2", got, c.bytes)
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("%d files, want 2", len(files))
	}
}

func TestCodeCacheFromManySides(t *testing.T) {
	c := newTestCache(t, t.TempDir(), 40)
	var g sync.WaitGroup
	for w := range 8 {
		g.Go(func() {
			for i := range 40 {
				s := fmt.Sprintf("code %02d", (i+w)%10)
				d := digestOf(s)
				if !c.pin(d) {
					if err := c.put(d, []byte(s)); err != nil {
						t.Error(err)
						return
					}
				}
				if b, err := os.ReadFile(c.path(d)); err != nil || string(b) != s {
					t.Errorf("read %q, %v; want %q", b, err, s)
				}
				c.unpin(d)
			}
		})
	}
	g.Wait()
	if c.bytes > 40 {
		t.Errorf("%d bytes, want at most 40", c.bytes)
	}
}
