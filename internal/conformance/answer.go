package conformance

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Answer is what came back. Its methods end the check if it is not as wanted,
// and return it, so that a check can go on with it.
type Answer struct {
	Value  // the body, nil if it is no JSON
	Status int
	Header http.Header
	Body   []byte
}

// want wants the status.
func (a *Answer) want(status int) *Answer {
	a.c.Helper()
	if a.Status != status {
		a.wrong("want status %d", status)
	}
	return a
}

// fails wants an error of the platform's: the status, exactly the text, and
// the request's id as code.
func (a *Answer) fails(status int, text string) *Answer {
	a.c.Helper()
	a.want(status).isError()
	if got := a.str("error"); got != text {
		a.wrong("error is %q, want %q", got, text)
	}
	return a
}

// failsLike wants an error whose text has all the parts.
func (a *Answer) failsLike(status int, parts ...string) *Answer {
	a.c.Helper()
	a.want(status).isError()
	for _, p := range parts {
		if got := a.str("error"); !strings.Contains(got, p) {
			a.wrong("error is %q, want %q in it", got, p)
		}
	}
	return a
}

// isError wants the shape that all errors have.
func (a *Answer) isError() {
	a.c.Helper()
	if code := a.str("code"); code == "" || code != a.Header.Get("X-Request-Id") {
		a.wrong("code is %q, want the X-Request-ID %q", code, a.Header.Get("X-Request-Id"))
	}
	if a.str("error") == "" {
		a.wrong("error is empty")
	}
}

// header wants a header with exactly the value.
func (a *Answer) header(name, want string) *Answer {
	a.c.Helper()
	if got := a.Header.Values(name); len(got) != 1 || got[0] != want {
		a.wrong("header %s is %q, want %q", name, got, want)
	}
	return a
}

// hasHeader wants a header to be there.
func (a *Answer) hasHeader(name string) *Answer {
	a.c.Helper()
	if a.Header.Get(name) == "" {
		a.wrong("no header %s", name)
	}
	return a
}

// noHeader wants a header not to be there.
func (a *Answer) noHeader(name string) *Answer {
	a.c.Helper()
	if got := a.Header.Values(name); len(got) != 0 {
		a.wrong("header %s is %q, want none", name, got)
	}
	return a
}

// mediaType wants the Content-Type, of which parameters are compared without
// regard to case and space.
func (a *Answer) mediaType(want string) *Answer {
	a.c.Helper()
	fold := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
	if got := a.Header.Get("Content-Type"); fold(got) != fold(want) {
		a.wrong("Content-Type is %q, want %q", got, want)
	}
	return a
}

// text wants exactly the body.
func (a *Answer) text(want string) *Answer {
	a.c.Helper()
	if string(a.Body) != want {
		a.wrong("body is %.300q, want %q", a.Body, want)
	}
	return a
}

// empty wants no body.
func (a *Answer) empty() *Answer { a.c.Helper(); return a.text("") }

// json wants the body to be the JSON value.
func (a *Answer) json(want any) *Answer {
	a.c.Helper()
	if a.v == nil && !bytes.Equal(bytes.TrimSpace(a.Body), []byte("null")) {
		a.wrong("the body is no JSON")
	}
	a.is(want)
	return a
}

// id is the activation id that header and, where it has one, body name.
func (a *Answer) id() string {
	a.c.Helper()
	id := a.Header.Get("X-Openwhisk-Activation-Id")
	if !isID(id) {
		a.wrong("header x-openwhisk-activation-id is %q, want 32 lowercase hexadecimal digits", id)
	}
	if in, ok := a.lookup("activationId"); ok && in != id {
		a.wrong("activationId is %v, the header says %s", in, id)
	}
	return id
}

func isID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// The following are those of Value, on the whole body, for chains.

func (a *Answer) field(path string, want any) *Answer {
	a.c.Helper()
	a.Value.field(path, want)
	return a
}
func (a *Answer) lacks(paths ...string) *Answer { a.c.Helper(); a.Value.lacks(paths...); return a }
func (a *Answer) has(paths ...string) *Answer   { a.c.Helper(); a.Value.has(paths...); return a }
func (a *Answer) annotation(key string, want any) *Answer {
	a.c.Helper()
	a.Value.annotation(key, want)
	return a
}

func (a *Answer) parameter(key string, want any) *Answer {
	a.c.Helper()
	a.Value.parameter(key, want)
	return a
}

// shown is the answer as failures tell it.
func (a *Answer) shown() string {
	b := a.Body
	if len(b) > 1000 {
		b = append(slices.Clip(b[:1000]), "…"...)
	}
	return string(b)
}

// normal turns a Go value into what decoding its JSON gives.
func normal(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var out any
	_ = json.Unmarshal(b, &out)
	return out
}
