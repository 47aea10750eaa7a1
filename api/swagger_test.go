package api

import (
	"encoding/json"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"hearth/whisk"
)

func TestCamelCase(t *testing.T) {
	for path, want := range map[string]string{
		"/": "", "/books": "Books", "/books/{isbn}": "BooksIsbn", "/BOOKS/aBC": "BooksAbc", "/a-B_C.d~e": "A-b_cDE", "/-x": "-X", "/--": "--", "/ä1": "1",
	} {
		if got := camelCase(path); got != want {
			t.Errorf("camelCase(%q) = %q, want %q", path, got, want)
		}
	}
}

// TestOperationIDs holds that paths which read alike keep their own targets.
func TestOperationIDs(t *testing.T) {
	s := newSwagger("/b", "")
	add := func(path, action string) {
		name := whisk.ActionName{Namespace: "ns", Name: action}
		s.add(endpoint{path: path, verb: "get", action: name, url: "http://h/api/v1/web/ns/default/" + action, extension: ".json"})
	}
	add("/a/b", "one")
	add("/a.b", "two")
	add("/a/b", "three") // in place of one
	check := func(want string) {
		t.Helper()
		a, err := s.compile()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range a.Routes {
			got = append(got, r.Path+"="+r.Action.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("routes %v, want %s", got, want)
		}
	}
	check("/a.b=two /a/b=three")
	if why := s.remove("/a.b", "get"); why != "" {
		t.Error(why)
	}
	check("/a/b=three")
}

// FuzzSwagger holds that any document becomes routes that are safe to follow, or
// a problem for its owner, and that what was made of it makes the same again.
func FuzzSwagger(f *testing.F) {
	for _, s := range []string{
		`{"basePath":"/b","paths":{"/{a}":{"get":{"operationId":"o","parameters":[{"name":"a"}]}}},"x-ibm-configuration":{"cors":{"enabled":true},"assembly":{"execute":[{"operation-switch":{"case":[{"operations":["o"],"execute":[{"invoke":{"target-url":"http://h/api/v1/web/n/p/a.http$(request.path)","verb":"POST"}},{"set-variable":{"actions":[{"set":"message.headers.a","value":1}]}}]}]}}]}}}`,
		`{"basePath":"/","paths":{"/":{"put":{"x-openwhisk":{"url":"https://h/api/v1/web/n/default/a.b.svg"}}}}}`,
		`{"basePath":"/b//","paths":[],"x-gateway-configuration":{"assembly":{"execute":[{"invoke":{"target-url":"x"}},1,null,{"operation-switch":{"case":[1,{"operations":[1]}]}}]}}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			return
		}
		s, err := parseSwagger([]byte(text))
		if err != nil || s == nil {
			return
		}
		a, err := s.compile()
		if err != nil {
			if _, ok := err.(pathProblem); !ok {
				t.Fatalf("%s: %v", text, err)
			}
			return
		}
		for _, r := range a.Routes {
			n := r.Action
			if !whisk.ValidName(string(n.Namespace)) || !whisk.ValidName(n.Name) || n.Package != "" && !whisk.ValidName(n.Package) || !strings.HasPrefix(r.Path, "/") {
				t.Fatalf("%s: route %+v", text, r)
			}
			for _, h := range r.Header {
				if !validToken(h.Name) || !validHeaderValue(h.Value) || textproto.CanonicalMIMEHeaderKey(h.Name) != h.Name {
					t.Fatalf("%s: header %+v", text, h)
				}
			}
		}
		again, err := parseSwagger(a.Document)
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.compile()
		if err != nil || canonical(t, b) != canonical(t, a) {
			t.Fatalf("%s: becomes %+v, then %+v, %v", text, a, b, err)
		}
		s.remove("/{a}", "get")
		s.add(endpoint{path: "/new", verb: "get", url: "http://h/api/v1/web/n/default/a", extension: ".json"})
	})
}

// FuzzMatchRoute holds that a path fits a route only if it begins with what the
// route names.
func FuzzMatchRoute(f *testing.F) {
	f.Add("/club", "/books/{id}", "club/books/7/x", true)
	f.Add("/", "/", "", false)
	f.Add("/a b", "/{x}/", "a%20b//", false)
	f.Fuzz(func(t *testing.T, base, path, request string, whole bool) {
		all := &whisk.APIs{List: []whisk.API{{BasePath: base, Routes: []whisk.Route{{Path: path, WholePath: whole}}}}}
		m, ok := matchRoute(all, request)
		if !ok {
			return
		}
		rest := m.target(&all.List[0].Routes[0]).path
		if whole && rest != "/"+request || rest != "" && (rest[0] != '/' || !strings.HasSuffix("/"+request, rest)) {
			t.Fatalf("%q of %q: the action sees %q", request, base+path, rest)
		}
		if hasParameter(path) || hasParameter(base) || whole {
			return
		}
		head, err := url.PathUnescape(strings.TrimSuffix("/"+request, rest))
		want := "/" + strings.Trim(strings.Trim(base, "/")+"/"+strings.Trim(path, "/"), "/")
		if err == nil && strings.TrimRight(head, "/") != strings.TrimRight(want, "/") {
			t.Fatalf("%q fits %q, of which the action sees %q", request, want, rest)
		}
	})
}
