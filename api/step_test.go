package api

import (
	"encoding/json"
	"strings"
	"testing"

	"hearth/whisk"
)

// step is a request and what it is answered with. want is the whole body if it
// begins with a bracket (without the times of updates), else an error's text; ""
// is anything.
type step struct {
	who                  whisk.AuthKey // zero: alice
	method, target, body string
	status               int
	want                 string
}

// steps makes the requests one after the other.
func (w *world) steps(t *testing.T, steps []step) {
	t.Helper()
	for _, c := range steps {
		if c.who == (whisk.AuthKey{}) {
			c.who = aliceKey
		}
		a := w.do(c.method, c.target, c.body, as(c.who))
		name := c.method + " " + c.target + " " + c.body
		if len(name) > 150 {
			name = name[:150] + "…"
		}
		if a.status != c.status {
			t.Errorf("%s = %d %s, want %d", name, a.status, a.body, c.status)
			continue
		}
		switch {
		case c.want == "":
		case strings.HasPrefix(c.want, "{") || strings.HasPrefix(c.want, "["):
			if got, want := timeless(t, a.body), timeless(t, c.want); got != want {
				t.Errorf("%s\n got %s\nwant %s", name, got, want)
			}
		default:
			if got := a.text(t); got != c.want {
				t.Errorf("%s = %q, want %q", name, got, c.want)
			}
		}
	}
}

// timeless returns the JSON with sorted keys and without the times of updates.
func timeless(t *testing.T, text string) string {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "updated")
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
