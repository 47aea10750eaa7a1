package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

var alices = func(name string) whisk.ActionName { return whisk.ActionName{Namespace: "alice", Name: name} }

// without returns the document without its time, which differs.
func without(t *testing.T, a answer, keys ...string) string {
	t.Helper()
	m, _ := a.json(t).(map[string]any)
	for _, k := range append(keys, "updated") {
		if _, ok := m[k]; !ok {
			t.Errorf("no %s in %s", k, a.body)
		}
		delete(m, k)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	defaultLimits = `{"concurrency":1,"logs":10,"memory":256,"timeout":60000}`
	autoNodejs    = `{"key":"provide-api-key","value":false},{"key":"exec","value":"nodejs:20"}`
)

func TestActionDocuments(t *testing.T) {
	zip := base64.StdEncoding.EncodeToString([]byte("PK not really a zip"))
	for _, c := range []struct{ name, body, exec, row, kind string }{
		{"text", `{"kind":"nodejs:20","code":"a \"b\"\n\u00e9\u0001<&>"}`,
			`{"binary":false,"code":"a \"b\"\né\u0001\u003c\u0026\u003e","kind":"nodejs:20"}`, `false`, "nodejs:20"},
		{"default and main", `{"kind":" NodeJS:Default ","code":"x","main":"f","binary":true}`,
			`{"binary":false,"code":"x","kind":"nodejs:20","main":"f"}`, `false`, "nodejs:20"},
		{"base64", `{"kind":"python:default","code":"` + zip + `"}`,
			`{"binary":true,"code":"` + zip + `","kind":"python:3"}`, `true`, "python:3"},
		{"empty", `{"kind":"python:3","code":""}`, `{"binary":false,"code":"","kind":"python:3"}`, `false`, "python:3"},
		{"jar", `{"kind":"java:8","jar":"QUJD","main":"M"}`, `{"binary":true,"code":"QUJD","kind":"java:8","main":"M"}`, `true`, "java:8"},
		{"image", `{"kind":"blackbox","image":"me/it:1"}`, `{"binary":false,"image":"me/it:1","kind":"blackbox"}`, `false`, "blackbox"},
		{"image, blank code", `{"kind":"Blackbox","image":"me/it","code":" \n"}`, `{"binary":false,"image":"me/it","kind":"blackbox"}`, `false`, "blackbox"},
		{"image and code", `{"kind":"blackbox","image":"openwhisk/dockerskeleton","code":"#!/bin/sh","main":"m"}`,
			`{"binary":false,"code":"#!/bin/sh","image":"openwhisk/dockerskeleton","kind":"blackbox","main":"m"}`, `false`, "blackbox"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			auto := `[{"key":"provide-api-key","value":false},{"key":"exec","value":"` + c.kind + `"}]`
			common := `"limits":` + defaultLimits + `,"name":"my a&b","namespace":"alice",`
			want := `{"annotations":` + auto + `,"exec":` + c.exec + `,` + common + `"parameters":[],"publish":false,"version":"0.0.1"}`
			for _, r := range []struct{ method, target string }{
				{"PUT", "_/actions/my%20a&b"}, {"GET", "alice/actions/my%20a%26b"}, {"GET", "_/actions/my%20a&b?code=true"},
			} {
				a := w.do(r.method, r.target, map[string]string{"PUT": `{"exec":` + c.body + `}`}[r.method])
				if a.status != 200 {
					t.Fatalf("%s = %d %s", r.method, a.status, a.body)
				}
				if got := without(t, a); got != sorted(t, want) {
					t.Errorf("%s\n got %s\nwant %s", r.method, got, sorted(t, want))
				}
			}
			bare := w.do("GET", "_/actions/my%20a&b?code=false", "")
			if strings.Contains(bare.body, `"code"`) || !strings.Contains(bare.body, `"kind":"`+c.kind+`"`) {
				t.Errorf("code=false shows %s", bare.body)
			}
			list := w.do("GET", "_/actions", "")
			var rows []json.RawMessage
			if err := json.Unmarshal([]byte(list.body), &rows); err != nil || len(rows) != 1 {
				t.Fatalf("list = %s", list.body)
			}
			row := `{"annotations":` + auto + `,"exec":{"binary":` + c.row + `},` + common + `"publish":false,"version":"0.0.1"}`
			if got := without(t, answer{body: string(rows[0])}); got != sorted(t, row) {
				t.Errorf("row\n got %s\nwant %s", got, row)
			}
			if got := without(t, w.do("DELETE", "_/actions/my%20a&b", "")); got != sorted(t, want) {
				t.Errorf("DELETE\n got %s\nwant %s", got, want)
			}
			if a := w.do("GET", "_/actions/my%20a&b", ""); a.status != 404 {
				t.Errorf("GET after DELETE = %d", a.status)
			}
		})
	}
}

// TestUpdate holds what is kept, replaced and merged.
func TestUpdate(t *testing.T) {
	first := `{"exec":{"kind":"nodejs:20","code":"one","main":"m"},"version":"2.3","publish":true,
		"parameters":[{"key":"p","value":1},{"key":"q","value":{"a" : [1.50, 12345678901234567890]},"init":true},{"key":"p","value":2}],
		"annotations":[{"key":"a","value":1},{"key":"b","value":2}],
		"limits":{"timeout":1000,"memory":128},"namespace":"elsewhere","name":"other","updated":1,"unknown":{}}`
	const params = `[{"key":"p","value":2},{"key":"q","value":{"a":[1.50,12345678901234567890]},"init":true}]`
	auto := func(kind string) string {
		return `{"key":"provide-api-key","value":false},{"key":"exec","value":"` + kind + `"}`
	}
	doc := func(annotations, code, kind, limits, params, publish, version string) string {
		return `{"annotations":[` + annotations + `],"exec":{"binary":false,"code":"` + code + `","kind":"` + kind + `"` +
			map[bool]string{true: `,"main":"m"`}[kind == "nodejs:20"] + `},"limits":` + limits +
			`,"name":"u","namespace":"alice","parameters":` + params + `,"publish":` + publish + `,"version":"` + version + `"}`
	}
	l := `{"concurrency":1,"logs":10,"memory":128,"timeout":1000}`
	ab := `{"key":"a","value":1},{"key":"b","value":2},`
	// The documents below are compared after sorting their keys only, so that
	// number texts must have come through as they were.
	for _, c := range []struct{ name, body, want string }{
		{"nothing", `{}`, doc(ab+auto("nodejs:20"), "one", "nodejs:20", l, params, "true", "2.3.1")},
		{"nulls", `{"exec":null,"parameters":null,"annotations":null,"limits":null,"version":null,"publish":null,"delAnnotations":null}`,
			doc(ab+auto("nodejs:20"), "one", "nodejs:20", l, params, "true", "2.3.1")},
		{"exec", `{"exec":{"kind":"python:3","code":"two"}}`, doc(ab+auto("python:3"), "two", "python:3", l, params, "true", "2.3.1")},
		{"emptied", `{"exec":{"kind":"python:3","code":""}}`, doc(ab+auto("python:3"), "", "python:3", l, params, "true", "2.3.1")},
		{"parameters", `{"parameters":[]}`, doc(ab+auto("nodejs:20"), "one", "nodejs:20", l, `[]`, "true", "2.3.1")},
		{"annotations", `{"annotations":[{"key":"b","value":3},{"key":"exec","value":"x"}],"delAnnotations":["a","c"]}`,
			doc(`{"key":"b","value":3},`+auto("nodejs:20"), "one", "nodejs:20", l, params, "true", "2.3.1")},
		{"removed and given", `{"annotations":[{"key":"a","value":4}],"delAnnotations":["a","provide-api-key"]}`,
			doc(`{"key":"b","value":2},{"key":"exec","value":"nodejs:20"},{"key":"a","value":4}`, "one", "nodejs:20", l, params, "true", "2.3.1")},
		{"limits, version, publish", `{"limits":{"memory":5.12e2,"instances":2},"version":"9.9.9","publish":false}`,
			doc(ab+auto("nodejs:20"), "one", "nodejs:20", `{"concurrency":1,"instances":2,"logs":10,"memory":512,"timeout":1000}`, params, "false", "9.9.9")},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPut("u", first)
			a := w.do("PUT", "_/actions/u?overwrite=true", c.body)
			if a.status != 200 {
				t.Fatalf("PUT = %d %s", a.status, a.body)
			}
			got := without(t, a)
			if got != sorted(t, c.want) {
				t.Errorf("PUT\n got %s\nwant %s", got, sorted(t, c.want))
			}
			if again := without(t, w.do("GET", "_/actions/u", "")); again != got {
				t.Errorf("GET\n got %s\nwant %s", again, got)
			}
		})
	}
}

func sorted(t *testing.T, s string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func TestStoredActionKeepsNoBody(t *testing.T) {
	ps, size, err := parseParameters([]byte(` [ {"key":"a","value": [ 1 , "b c" ] } ] `), 1000)
	if err != nil || size != 10 {
		t.Fatalf("got %d, %v", size, err)
	}
	if v := ps[0].Value; string(v) != `[1,"b c"]` || cap(v) > 16 {
		t.Errorf("value %s holds %d bytes", v, cap(v))
	}
}

func TestCorruptedAction(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.lostCode = true
	if a := w.do("GET", "_/actions/a", ""); a.status != 500 || a.text(t) != "Resource is corrupted and cannot be read." {
		t.Errorf("GET = %d %s", a.status, a.body)
	}
	for _, r := range [][3]string{
		{"GET", "_/actions/a?code=false", ""}, {"PUT", "_/actions/a?overwrite=true", `{"publish":true}`}, {"DELETE", "_/actions/a", ""},
	} {
		if a := w.do(r[0], r[1], r[2]); a.status != 200 || strings.Contains(a.body, `"code"`) {
			t.Errorf("%s = %d %s", r[0], a.status, a.body)
		}
	}
}

func TestListActions(t *testing.T) { synctest.Test(t, testListActions) }

func testListActions(t *testing.T) {
	w := newWorld(t)
	for i := range 120 {
		w.mustPut(fmt.Sprintf("a%03d", i), plainBody)
		time.Sleep(time.Millisecond) // lists are sorted by this time
	}
	names := func(a answer) []string {
		t.Helper()
		var rows []struct{ Name string }
		if err := json.Unmarshal([]byte(a.body), &rows); err != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
		var out []string
		for _, r := range rows {
			out = append(out, r.Name)
		}
		return out
	}
	for query, want := range map[string]struct {
		n           int
		first, last string
	}{
		"":                   {30, "a119", "a090"},
		"/?limit=2&skip=3":   {2, "a116", "a115"},
		"?limit=0":           {120, "a119", "a000"},
		"?limit=50":          {50, "a119", "a070"},
		"?limit=51":          {51, "a119", "a069"},
		"?limit=100":         {100, "a119", "a020"},
		"?limit=200&skip=20": {100, "a099", "a000"},
		"?limit=200&skip=70": {50, "a049", "a000"},
		"?skip=1000":         {0, "", ""},
	} {
		a := w.do("GET", "_/actions"+query, "")
		got := names(a)
		if len(got) != want.n || want.n > 0 && (got[0] != want.first || got[len(got)-1] != want.last) {
			t.Errorf("%s: %d rows %v, want %v", query, len(got), got, want)
		}
	}
	for query, want := range map[string]string{
		"count=true": `{"actions":120}`, "count=1&limit=1": `{"actions":120}`, "count=yes&skip=20": `{"actions":100}`, "count=on&skip=500": `{"actions":0}`,
	} {
		if a := w.do("GET", "_/actions?"+query, ""); a.body != want {
			t.Errorf("%s = %s, want %s", query, a.body, want)
		}
	}
}
