package api

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

const (
	noEntityText  = "The requested resource does not exist."
	existsText    = "resource already exists"
	malformedText = "The request content was malformed:\n"
	bindingText   = "Operation not permitted on package binding."
)

func deniedText(path string) string {
	return "The supplied authentication is not authorized to access '" + path + "'."
}

func TestPackages(t *testing.T) {
	w := newWorld(t)
	const plain = `{"namespace":"alice","name":"p","version":"0.0.1","publish":false,"annotations":[],"parameters":[],"binding":{}}`
	w.steps(t, []step{
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200, want: plain},
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 409, want: existsText},
		{method: "GET", target: "_/packages/p", status: 200, want: plain[:len(plain)-1] + `,"actions":[],"feeds":[]}`},
		{
			method: "PUT", target: "_/packages/p?overwrite=true", status: 200,
			body: `{"binding":{},"parameters":[{"key":"a","value":1}],"annotations":[{"key":"b","value":2},{"key":"binding","value":"mine"}],"publish":true,"namespace":"x","name":"y"}`,
			want: `{"namespace":"alice","name":"p","version":"0.0.2","publish":true,"annotations":[{"key":"b","value":2}],"parameters":[{"key":"a","value":1}],"binding":{}}`,
		},
		// what is left out stays; annotations and parameters are replaced
		{
			method: "PUT", target: "_/packages/p?overwrite=true", body: `{"version":"2","annotations":[{"key":"c","value":3}]}`, status: 200,
			want: `{"namespace":"alice","name":"p","version":"2.0.0","publish":true,"annotations":[{"key":"c","value":3}],"parameters":[{"key":"a","value":1}],"binding":{}}`,
		},
		{method: "GET", target: "_/packages", status: 200, want: `[{"namespace":"alice","name":"p","version":"2.0.0","publish":true,"annotations":[{"key":"c","value":3}],"binding":false}]`},
		{method: "GET", target: "_/packages?count=true", status: 200, want: `{"packages":1}`},
		{method: "DELETE", target: "_/packages/p", status: 200, want: `{"namespace":"alice","name":"p","version":"2.0.0","publish":true,"annotations":[{"key":"c","value":3}],"parameters":[{"key":"a","value":1}],"binding":{}}`},
		{method: "DELETE", target: "_/packages/p", status: 404, want: noEntityText},
		{method: "GET", target: "_/packages/p", status: 404, want: "The requested resource 'alice/p' does not exist."},

		{method: "PUT", target: "_/packages/default", body: `{}`, status: 400, want: "Package name 'default' is reserved."},
		{method: "GET", target: "_/packages/default", status: 404},
		{method: "PUT", target: "_/packages/p", status: 400, want: "Request entity expected but not supplied"},
		{method: "PUT", target: "_/packages/p", body: `[]`, status: 400, want: malformedText + "JSON object expected."},
		{method: "PUT", target: "_/packages/p", body: `{"publish":"yes"}`, status: 400, want: malformedText + "'publish' must be a boolean"},
		{method: "PUT", target: "_/packages/p", body: `{"version":"0.0.0"}`, status: 400, want: malformedText + "semantic version malformed"},
		{method: "PUT", target: "_/packages/p", body: `{"parameters":[{"key":"a"}]}`, status: 400, want: malformedText + "parameters malformed!"},
		{method: "PUT", target: "_/packages/p", body: `{"binding":{"namespace":"alice"}}`, status: 400, want: malformedText + "entity name malformed"},
		{method: "PUT", target: "_/packages/p", body: `{"binding":"p"}`, status: 400, want: malformedText + "Object expected in field 'binding'"},
	})
	for _, part := range []string{"parameters", "annotations"} {
		body := fmt.Sprintf(`{"%s":[{"key":"a","value":"%s"}]}`, part, strings.Repeat("x", 1<<20))
		want := fmt.Sprintf("%s larger than allowed: %d > %d bytes.", part, 1<<20+3, 1<<20)
		for _, target := range []string{"_/packages/p", "_/triggers/p", "_/rules/p"} {
			w.steps(t, []step{{method: "PUT", target: target, body: body, status: 413, want: want}})
		}
	}
}

func TestBindings(t *testing.T) {
	w := newWorld(t)
	const (
		missing    = "Binding references a package that does not exist."
		annotation = `{"key":"binding","value":{"namespace":"bob","name":"open"}}`
		bound      = `{"namespace":"alice","name":"b","version":"0.0.1","publish":false,"annotations":[{"key":"x","value":1},` + annotation +
			`],"parameters":[{"key":"b","value":2},{"key":"of","value":"b"}],"binding":{"namespace":"bob","name":"open"}`
	)
	w.steps(t, []step{
		{who: bobKey, method: "PUT", target: "_/packages/open", body: `{"publish":true,"parameters":[{"key":"of","value":"p"},{"key":"p","value":1}],"annotations":[{"key":"secret","value":1}]}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/packages/shut", body: `{}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/actions/open/a", body: `{"exec":{"kind":"nodejs:20","code":"x"},"parameters":[{"key":"of","value":"a"}]}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/actions/open/f", body: `{"exec":{"kind":"nodejs:20","code":"x"},"annotations":[{"key":"feed","value":false}]}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/packages/bobs", body: `{"publish":true,"binding":{"namespace":"_","name":"open"}}`, status: 200},

		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"bob","name":"open"},"parameters":[{"key":"b","value":2},{"key":"of","value":"b"}],"annotations":[{"key":"binding","value":1},{"key":"x","value":1}]}`, status: 200, want: bound + `}`},
		{
			method: "GET", target: "_/packages/b", status: 200,
			want: `{"namespace":"alice","name":"b","version":"0.0.1","publish":false,"annotations":[{"key":"x","value":1},` + annotation +
				`],"parameters":[{"key":"of","value":"b"},{"key":"p","value":1},{"key":"b","value":2}],"binding":{"namespace":"bob","name":"open"},` +
				`"actions":[{"name":"a","version":"0.0.1","annotations":[{"key":"provide-api-key","value":false},{"key":"exec","value":"nodejs:20"}]}],` +
				`"feeds":[{"name":"f","version":"0.0.1","annotations":[{"key":"feed","value":false},{"key":"provide-api-key","value":false},{"key":"exec","value":"nodejs:20"}]}]}`,
		},
		{method: "GET", target: "_/packages", status: 200, want: `[{"namespace":"alice","name":"b","version":"0.0.1","publish":false,"annotations":[{"key":"x","value":1},` + annotation + `],"binding":{"namespace":"bob","name":"open"}}]`},

		// what may be bound
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"_","name":"none"}}`, status: 400, want: missing},
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"bob","name":"none"}}`, status: 403, want: deniedText("bob/none")},
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"bob","name":"shut"}}`, status: 403, want: deniedText("bob/shut")},
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"bob","name":"bobs"}}`, status: 403, want: deniedText("bob/bobs")},
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"alice","name":"b"}}`, status: 400, want: "Cannot bind to another package binding."},
		{method: "PUT", target: "_/packages/b?overwrite=true", body: `{"binding":{"namespace":"alice","name":"b"}}`, status: 400, want: "Cannot bind to another package binding."},
		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"bob","name":"shut"}}`, status: 403, want: deniedText("bob/shut")},
		{method: "PUT", target: "_/actions/act", body: plainBody, status: 200},
		{method: "PUT", target: "_/packages/c", body: `{"binding":{"namespace":"alice","name":"act"}}`, status: 409, want: "Cannot bind to a resource that is not a package."},
		{method: "PUT", target: "_/packages/own", body: `{"parameters":[{"key":"own","value":1}]}`, status: 200},
		{method: "PUT", target: "_/packages/own?overwrite=true", body: `{"binding":{"namespace":"bob","name":"open"}}`, status: 409, want: "Resource is a package and cannot be converted into a binding."},

		// a binding may be bound anew; what is left out stays
		{method: "PUT", target: "_/packages/b?overwrite=true", body: `{}`, status: 200, want: strings.Replace(bound, "0.0.1", "0.0.2", 1) + `}`},
		{
			method: "PUT", target: "_/packages/b?overwrite=true", body: `{"binding":{"namespace":"_","name":"own"},"annotations":[]}`, status: 200,
			want: `{"namespace":"alice","name":"b","version":"0.0.3","publish":false,"annotations":[{"key":"binding","value":{"namespace":"alice","name":"own"}}],` +
				`"parameters":[{"key":"b","value":2},{"key":"of","value":"b"}],"binding":{"namespace":"alice","name":"own"}}`,
		},
		{method: "PUT", target: "_/packages/b?overwrite=true", body: `{"binding":{"namespace":"bob","name":"open"}}`, status: 200},

		// nothing is written or deleted through a binding
		{method: "PUT", target: "_/actions/b/a", body: plainBody, status: 400, want: bindingText},
		{method: "DELETE", target: "_/actions/b/a", status: 400, want: bindingText},
		{method: "DELETE", target: "_/actions/b/none", status: 400, want: bindingText},

		// others see no bindings, and only what is published
		{who: bobKey, method: "GET", target: "alice/packages/b", status: 403, want: deniedText("alice/b")},
		{method: "GET", target: "bob/packages/bobs", status: 403, want: deniedText("bob/bobs")},
		{method: "GET", target: "bob/packages", status: 200, want: `[{"namespace":"bob","name":"open","version":"0.0.1","publish":true,"annotations":[{"key":"secret","value":1}],"binding":false}]`},
		{method: "GET", target: "bob/packages?count=true", status: 200, want: `{"packages":1}`},
		{method: "GET", target: "nobody/packages", status: 200, want: `[]`},

		// the provider goes its own ways
		{who: bobKey, method: "PUT", target: "_/packages/open?overwrite=true", body: `{"publish":false}`, status: 200},
		{method: "GET", target: "_/packages/b", status: 403, want: deniedText("alice/b")},
		{method: "GET", target: "_/actions/b/a", status: 403, want: deniedText("alice/b")},
		{method: "GET", target: "_/actions/b/", status: 403, want: deniedText("alice/b")},
		{who: bobKey, method: "DELETE", target: "_/packages/open?force=true", status: 200},
		{method: "GET", target: "_/packages/b", status: 403, want: deniedText("alice/b")},
		{method: "DELETE", target: "_/packages/b", status: 200},
		{method: "GET", target: "_/packages/b", status: 404},
	})
}

func TestDeletePackage(t *testing.T) {
	w := newWorld(t)
	notEmpty := func(what string) string {
		return "Package not empty (contains " + what + "). Set force param or delete package contents."
	}
	w.steps(t, []step{
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200},
		{method: "PUT", target: "_/actions/p/a", body: plainBody, status: 200},
		{method: "DELETE", target: "_/packages/p", status: 409, want: notEmpty("1 entity")},
		{method: "PUT", target: "_/actions/p/b", body: plainBody, status: 200},
		{method: "DELETE", target: "_/packages/p?force=false", status: 409, want: notEmpty("2 entities")},
		{method: "DELETE", target: "_/packages/p?force=maybe", status: 400},
		{method: "GET", target: "_/actions/p/a", status: 200},
		{method: "DELETE", target: "_/packages/p?force=true", status: 200},
		{method: "GET", target: "_/actions?count=true", status: 200, want: `{"actions":0}`},
		{method: "GET", target: "_/actions/p/a", status: 404, want: noEntityText},
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200},
		{method: "GET", target: "_/actions/p/", status: 200, want: `[]`},
		{method: "DELETE", target: "_/packages/p", status: 200},
	})
}

func TestListPackages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 60 {
			w.steps(t, []step{{method: "PUT", target: fmt.Sprintf("_/packages/p%02d", i), body: fmt.Sprintf(`{"publish":%v}`, i%2 == 0), status: 200}})
			time.Sleep(time.Millisecond)
		}
		for _, c := range []struct {
			who           whisk.AuthKey
			query, counts string
			want          []string // first, last
			n             int
		}{
			{aliceKey, "?limit=0", `{"packages":60}`, []string{"p59", "p00"}, 60},
			{aliceKey, "?skip=55", `{"packages":5}`, []string{"p04", "p00"}, 5},
			{bobKey, "?limit=0", `{"packages":30}`, []string{"p58", "p00"}, 30},
			{bobKey, "?skip=1&limit=2", `{"packages":29}`, []string{"p56", "p54"}, 2},
		} {
			rows, _ := w.do("GET", "alice/packages"+c.query, "", as(c.who)).json(t).([]any)
			name := func(i int) any { return rows[i].(map[string]any)["name"] }
			if len(rows) != c.n || name(0) != c.want[0] || name(len(rows)-1) != c.want[1] {
				t.Errorf("%s: %d rows, want %d, %v", c.query, len(rows), c.n, c.want)
			}
			if a := w.do("GET", "alice/packages"+c.query+"&count=true", "", as(c.who)); a.body != c.counts {
				t.Errorf("%s: counted %s, want %s", c.query, a.body, c.counts)
			}
		}
	})
}

// TestLargePackage: what a package holds is written some at a time, and the
// answer is whole.
func TestLargePackage(t *testing.T) {
	w := newWorld(t)
	w.steps(t, []step{{method: "PUT", target: "_/packages/p", body: `{}`, status: 200}})
	for _, n := range []int{24, 25, 26, 80} {
		for i := w.count(); i < n; i++ {
			annotations := "[]"
			if i%3 == 0 {
				annotations = `[{"key":"feed","value":true}]`
			}
			w.steps(t, []step{{method: "PUT", target: fmt.Sprintf("_/actions/p/a%03d", i), body: `{"exec":{"kind":"nodejs:20","code":"x"},"annotations":` + annotations + `}`, status: 200}})
		}
		got := w.do("GET", "_/packages/p", "")
		actions, _ := got.json(t, "actions").([]any)
		feeds, _ := got.json(t, "feeds").([]any)
		if want := (n + 2) / 3; len(feeds) != want || len(actions) != n-want {
			t.Errorf("of %d: %d actions, %d feeds, want %d feeds", n, len(actions), len(feeds), want)
		}
	}
}

func TestPackageConflicts(t *testing.T) {
	w := newWorld(t)
	w.steps(t, []step{
		{method: "PUT", target: "_/packages/x", body: `{}`, status: 200},
		{method: "PUT", target: "_/triggers/y", body: `{}`, status: 200},
	})
	const wrong = "Resource by this name exists but is not in this collection."
	w.steps(t, []step{
		{method: "PUT", target: "_/actions/x", body: plainBody, status: 409, want: wrong},
		{method: "PUT", target: "_/actions/x?overwrite=true", body: plainBody, status: 409, want: wrong},
		{method: "GET", target: "_/actions/x", status: 409, want: wrong},
		{method: "POST", target: "_/actions/x", status: 409, want: wrong},
		{method: "DELETE", target: "_/triggers/x", status: 409, want: wrong},
		{method: "PUT", target: "_/triggers/x?overwrite=true", body: `{}`, status: 409, want: wrong},
		{method: "GET", target: "_/rules/x", status: 409, want: wrong},
		{method: "PUT", target: "_/packages/y", body: `{}`, status: 409, want: wrong},
		{method: "GET", target: "_/actions/y/a", status: 409, want: wrong},
		{who: bobKey, method: "GET", target: "alice/actions/y/a", status: 403, want: deniedText("alice/y")},
	})
}
