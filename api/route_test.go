package api

import "testing"

// What npm's client sends when it is given a row of a list, and wskdeploy for
// the feeds of others' packages.
func TestOddPaths(t *testing.T) {
	w := newWorld(t)
	const noRoute = "The requested resource could not be found."
	const illegal = "The name of the entity contains illegal characters."
	w.steps(t, []step{
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200},
		{method: "PUT", target: "alice%2Fp/actions/a", body: plainBody, status: 200},
		{method: "GET", target: "_/actions/p/a", status: 200},
		{method: "GET", target: "alice%2fp/actions/a", status: 200},
		{method: "GET", target: "_%2Fp/actions/a", status: 200},
		{method: "GET", target: "alice%2Fp/actions?count=true", status: 200, want: `{"actions":1}`},
		{method: "GET", target: "alice%2Fp/actions/?count=true", status: 200, want: `{"actions":1}`},
		{method: "GET", target: "bob%2Fp/actions/a", status: 403, want: deniedText("bob/p")},
		{method: "GET", target: "alice%2Fp/actions/q/a", status: 400, want: "The namespace contains illegal characters."},
		{method: "GET", target: "alice%2Fp/triggers/a", status: 400, want: "The namespace contains illegal characters."},
		{method: "GET", target: "alice%2F/actions/a", status: 400, want: illegal},
		{method: "GET", target: "alice%2Fp%2Fq/actions/a", status: 400, want: illegal},

		{method: "GET", target: "_/actions/../../alice/actions/p/a", status: 200},
		{method: "GET", target: "bob/../_/packages/../actions/p/a", status: 200},
		{method: "GET", target: "_/actions/../../../namespaces/_/actions", status: 400, want: "The namespace contains illegal characters."},
		{method: "GET", target: "_/actions/..", status: 404, want: noRoute},
		{method: "GET", target: "_/actions/%2E%2E", status: 400, want: illegal},
		{method: "GET", target: "_/actions/a/b/../../p/a", status: 200},
		{method: "DELETE", target: "alice%2Fp/actions/a", status: 200},
		{method: "GET", target: "_/actions", status: 200, want: `[]`},
	})
}
