package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// TestText: our strings decode to what encoding/json makes of the same bytes.
func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		var got, want string
		ours := appendString(nil, s)
		theirs, _ := json.Marshal(s)
		if err := json.Unmarshal(ours, &got); err != nil {
			t.Fatalf("%q: %v", ours, err)
		}
		if json.Unmarshal(theirs, &want) != nil || got != want {
			t.Fatalf("%q became %q, want %q", s, got, want)
		}
		if string(appendString(nil, []byte(s))) != string(ours) {
			t.Fatalf("%q differs as bytes", s)
		}
	})
}

func TestWriteEscapedInPieces(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("ab\n", 50_000), strings.Repeat("é", 40_000), "x" + strings.Repeat("😀", 40_000), "xyz" + strings.Repeat("\"\\\u2028", 30_000)} {
		var b strings.Builder
		if err := writeEscaped(&b, []byte(s)); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal([]byte(`"`+b.String()+`"`), &got); err != nil || got != s {
			t.Errorf("%.10q… of %d bytes came back as %.10q… of %d: %v", s, len(s), got, len(got), err)
		}
	}
}

func TestAccepts(t *testing.T) {
	for accept, want := range map[string]bool{
		"": true, "*/*": true, "application/json": true, "application/*": true, "Application/JSON;charset=utf-8": true,
		"text/html, application/xhtml+xml, */*;q=0.8": true, "text/html,application/json;q=0.1": true, "nonsense": true, "*": true,
		"text/html": false, "text/*, image/png": false, "application/json;q=0": false, "*/*;q=0.0": false,
		"application/json;q=0, */*": false, "application/*;q=0, application/json": true, "application/jsonx": false,
	} {
		h := http.Header{}
		if accept != "" {
			h.Set("Accept", accept)
		}
		if got := checkAccept(h, jsonType) == nil; got != want {
			t.Errorf("Accept %q: %v, want %v", accept, got, want)
		}
	}
	if checkAccept(http.Header{"Accept": {"text/html", jsonType}}, jsonType) != nil {
		t.Error("the second Accept line does not count")
	}
}

func TestContentTypes(t *testing.T) {
	for in, want := range map[string]bool{
		"application/json": true, "APPLICATION/JSON ; charset=utf-8": true, "": false, "text/json": false, "application/json5": false,
		"application/x-www-form-urlencoded": false, "application/vnd.api+json": false,
	} {
		if got := checkContentType(http.Header{"Content-Type": {in}}) == nil; got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestBase64(t *testing.T) {
	for in, want := range map[string]bool{
		"": false, " \n": false, "QUJD": true, " QUJD\r\n": true, "QUI=": true, "QQ==": true, "Q===": false, "====": false,
		"QUJ": false, "QU JD": false, "QUJDRA==": true, "QUJDRA=": false, "QQ==QUJD": false, "main": true, "a+/9": true, "a-_9": false,
	} {
		if got := isBase64([]byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestImages(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for in, want := range map[string]bool{
		"a": true, "busybox": true, "openwhisk/dockerskeleton": true, "me/it:1.0_b-C": true, "reg.example.com:5000/a/b/c:tag": true,
		"localhost:5000/x": true, "a" + digest: true, "a/b:t" + digest: true, "a__b/c-d": true,
		"": false, "A": false, "a b": false, "a:": false, "a:b:c": false, "/a": false, "a/": false, "a//b": false, "a@sha256:12": false,
		"-a": false, "a\n": false, strings.Repeat("a", 513): false, "a:" + strings.Repeat("t", 129): false,
	} {
		if got := validImage(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// TestManyKeys: users choose how many parameters there are; nothing here may
// take time by their square.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"exec":{"kind":"nodejs:20","code":"x"},"annotations":[{"key":"final","value":true}`)
	for i := range 10_000 {
		b.WriteString(`,{"key":"k` + digits(i) + `","value":0}`)
	}
	b.WriteString(`],"parameters":[{"key":"z","value":0}`)
	for i := range 10_000 {
		b.WriteString(`,{"key":"k` + digits(i) + `","value":0}`)
	}
	b.WriteString(`]}`)
	w := newWorld(t)
	w.mustPut("a", b.String())
	w.mustPut("a", b.String())
	var payload strings.Builder
	payload.WriteString(`{"x":0`)
	for i := range 10_000 {
		payload.WriteString(`,"p` + digits(i) + `":0`)
	}
	payload.WriteString(`}`)
	if a := w.do("POST", "_/actions/a", payload.String()); a.status != 202 {
		t.Errorf("invoke = %d %.200s", a.status, a.body)
	}
}

func digits(i int) string {
	return string([]byte{hexDigits[i>>12&15], hexDigits[i>>8&15], hexDigits[i>>4&15], hexDigits[i&15]})
}

// FuzzParameters: what is read is a list of distinct keys with valid values,
// measured right, and reads the same when written and read again.
func FuzzParameters(f *testing.F) {
	f.Add([]byte(`[{"key":"a","value":1},{"key":"a","value":{"b":[ ]},"init":true},{"key":"","value":null,"encryption":"x"}]`))
	f.Add([]byte(`[{"key":"\u0061","value":"\ud800"},1]`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if whisk.CheckJSON(raw, 100) != nil {
			return
		}
		ps, size, err := parseParameters(raw, 1<<20)
		if err != nil {
			return
		}
		if size <= 1<<20 && size != ps.Size() {
			t.Errorf("size = %d, want %d", size, ps.Size())
		}
		written := appendParameters(nil, ps)
		again, _, err := parseParameters(written, 1<<20)
		if err != nil || string(appendParameters(nil, again)) != string(written) {
			t.Errorf("%s is read again as %s: %v", written, appendParameters(nil, again), err)
		}
		seen := map[string]bool{}
		for _, p := range ps {
			if seen[p.Key] || !json.Valid(p.Value) {
				t.Errorf("bad parameter %q = %q", p.Key, p.Value)
			}
			seen[p.Key] = true
		}
	})
}

// FuzzPut: no body breaks the server or makes it answer anything but JSON, and
// what is stored can be fetched.
func FuzzPut(f *testing.F) {
	for _, s := range []string{
		plainBody, `{"exec":{"kind":"blackbox","image":"a/b:c","code":"QUJD"},"limits":{"memory":1e2,"instances":0},"version":"1"}`,
		`{"exec":{"kind":"java:8","jar":"\u0000","main":"\ud83d\ude00"},"publish":true,"delAnnotations":["a"],"annotations":[{"key":"k","value":[{}]}]}`,
		`{"exec":{"exec":{}},"parameters":null,"limits":{}}`, `[`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		w.mustPut("old", plainBody)
		for _, target := range []string{"_/actions/a", "_/actions/old?overwrite=true"} {
			a := w.do("PUT", target, string(body))
			if !json.Valid([]byte(a.body)) || a.status >= 500 {
				t.Fatalf("PUT %s %q = %d %q", target, body, a.status, a.body)
			}
			if a.status == 200 {
				if g := w.do("GET", target, ""); g.body != a.body {
					t.Fatalf("PUT %q\n got %s\nthen %s", body, a.body, g.body)
				}
			}
		}
	})
}

// FuzzTarget: no path or query breaks the server.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"namespaces/_/actions/a?code=false", "namespaces/_/actions?limit=0&skip=1&count=true", "namespaces/_/activations?name=a%2Fb&since=1&docs=1",
		"namespaces/alice/actions/p/a%20b", "namespaces/_/limits", "namespaces/%5f/actions/", "namespaces/_/activations/" + anID + "/logs", "web/a/b",
	} {
		f.Add("GET", s)
	}
	f.Add("POST", "namespaces/_/actions/a?blocking=true&result=1&timeout=9")
	f.Fuzz(func(t *testing.T, method, target string) {
		path, rawQuery, _ := strings.Cut(target, "?")
		w := newWorld(t)
		w.mustPut("a", plainBody)
		a := w.do("GET", "/", "", func(r *http.Request) {
			r.Method = method
			r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/api/v1/"+path, "/api/v1/"+path, rawQuery
		})
		if a.status >= 500 || a.body != "" && !json.Valid([]byte(a.body)) {
			t.Errorf("%q %q = %d %q", method, target, a.status, a.body)
		}
	})
}

// FuzzQuery: values are what net/url says they are.
func FuzzQuery(f *testing.F) {
	f.Add("a=1&name=%41+b&name=2", "name")
	f.Add("limit=5&&=&skip", "limit")
	f.Fuzz(func(t *testing.T, raw, name string) {
		if strings.ContainsAny(raw, ";") || name == "" || strings.ContainsAny(name, "%+&=;") {
			return // net/url has its own mind about semicolons
		}
		got, found, err := query(raw).get(name)
		all, allErr := url.ParseQuery(raw)
		if err != nil || allErr != nil {
			return
		}
		want := all.Get(name)
		if got != want || found != (want != "") {
			t.Errorf("%q: %s = %q %v, want %q", raw, name, got, found, want)
		}
	})
}
