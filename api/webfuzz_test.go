package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hearth/whisk"
)

// FuzzWebPath holds that a path names an action only by names, and that its
// parts lead to the same action again.
func FuzzWebPath(f *testing.F) {
	for _, s := range []string{"/ns/default/a", "/ns/p/a.json/b%20c", "/a%40b/p/x.http.svg//", "/ns/p/.text", "/%", "/a/b/%2F.html"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, err := parseWebPath(path)
		if err != nil {
			return
		}
		n := got.action
		if !whisk.ValidName(string(n.Namespace)) || !whisk.ValidName(n.Name) || n.Package != "" && !whisk.ValidName(n.Package) {
			t.Fatalf("%q names %+v", path, n)
		}
		if got.path != "" && (got.path[0] != '/' || !strings.HasSuffix(path, got.path)) {
			t.Fatalf("%q has the rest %q", path, got.path)
		}
		pkg := n.Package
		if pkg == "" {
			pkg = defaultPackage
		}
		again := "/" + url.PathEscape(string(n.Namespace)) + "/" + url.PathEscape(pkg) + "/" + url.PathEscape(n.Name) + extensionNames[got.extension] + got.path
		if second, err := parseWebPath(again); err != nil || second != got {
			t.Fatalf("%q is %+v, but %q is %+v, %v", path, got, again, second, err)
		}
	})
}

// FuzzTranscode holds that any result becomes a well-formed answer or an error
// of the user's.
func FuzzTranscode(f *testing.F) {
	for _, s := range []string{
		`{"body":"x","statusCode":"201","headers":{"a":[1,["b",true]],"content-type":"image/png"}}`, `{"text":{"a":[{}]}}`, `[1,"]"]`,
		`{"headers":{"set-cookie":["a","b"],"x":"\n"}}`, `{"body":{"a":1},"headers":{"content-type":"a/b+json; x=\"y\""}}`, `"x"`, `null`,
	} {
		for e := range extensionNames {
			f.Add(uint8(e), s)
		}
	}
	f.Fuzz(func(t *testing.T, e uint8, result string) {
		if !json.Valid([]byte(result)) {
			return
		}
		rep, err := extension(e % uint8(len(extensionNames))).transcode(json.RawMessage(result))
		if err != nil {
			if k := whisk.KindOf(err); k != whisk.BadRequest && k != whisk.NotFound {
				t.Fatalf("%s: %v", result, err)
			}
			return
		}
		if rep.status < 200 || rep.status > 999 || (rep.status == 204 || rep.status == 304) && len(rep.body) > 0 {
			t.Fatalf("%s: status %d with %d bytes", result, rep.status, len(rep.body))
		}
		if len(rep.body) > prettyLimit(len(result))+len(result) {
			t.Fatalf("%d bytes became %d", len(result), len(rep.body))
		}
		var head bytes.Buffer
		h := http.Header{"Content-Type": {rep.mediaType}}
		lines := 1
		for name, values := range rep.header {
			h[name] = values
			lines += len(values)
			if ownHeaders[name] {
				t.Fatalf("%s: sets %s", result, name)
			}
		}
		if err := h.Write(&head); err != nil || bytes.Count(head.Bytes(), []byte("\n")) != lines {
			t.Fatalf("%s: %d headers are written as %q", result, lines, head.String())
		}
	})
}

// FuzzWebPayload holds that whatever query and body a client sends, an action
// gets a JSON object in which the client has set nothing that is reserved.
func FuzzWebPayload(f *testing.F) {
	f.Add("a=b&c=%26", "application/json", `{"d":{"e":1}}`, false)
	f.Add("a", "application/x-www-form-urlencoded", "__ow_user=x&a=%zz", false)
	f.Add("__ow_path=x", "text/plain", "\xff\x00", true)
	f.Add("", "image/png", "x", false)
	f.Add("%5f_ow_body=", "application/json", `{"\u005f_ow_method":1}`, false)
	r := &whisk.Resolved{Action: &whisk.Action{Annotations: whisk.Parameters{{Key: "final", Value: json.RawMessage("true")}}},
		Parameters: whisk.Parameters{{Key: "set", Value: json.RawMessage(`1`)}}}
	f.Fuzz(func(t *testing.T, query, kind, body string, raw bool) {
		h := httptest.NewRequest("PUT", "/", strings.NewReader(body))
		h.URL.RawQuery = query
		h.Header.Set("Content-Type", kind)
		limits := whisk.DefaultSystemLimits()
		q := &request{Request: h, limits: &limits, budget: &budget{max: 1 << 30}}
		b, err := q.webBody(raw, 1<<20)
		if err == nil {
			var payload json.RawMessage
			if payload, err = webPayload(q, webTarget{path: "/p"}, r, b, raw); err == nil {
				checkPayload(t, payload, raw)
			}
		}
		if k := whisk.KindOf(err); err != nil && k != whisk.BadRequest && k != whisk.TooLarge {
			t.Fatalf("error %v", err)
		}
	})
}

func checkPayload(t *testing.T, payload []byte, raw bool) {
	t.Helper()
	var got map[string]json.RawMessage
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatalf("payload %s: %v", payload, err)
	}
	count := map[string]int{}
	whisk.Fields(payload, func(key string, _, _ []byte) bool { count[key]++; return true })
	_, user := got["__ow_user"]
	_, hasQuery := got["__ow_query"]
	_, set := got["set"]
	if string(got["__ow_method"]) != `"put"` || string(got["__ow_path"]) != `"/p"` || user || hasQuery != raw || set ||
		count["__ow_method"] != 1 || count["__ow_path"] != 1 || count["__ow_headers"] != 1 {
		t.Fatalf("payload %s", payload)
	}
}
