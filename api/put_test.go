package api

import (
	"fmt"
	"strings"
	"testing"

	"hearth/whisk"
)

// TestPutTexts holds the refusals of PUT bodies.
func TestPutTexts(t *testing.T) {
	const malformed = "The request content was malformed:\n"
	exec := func(s string) string { return `{"exec":` + s + `}` }
	with := func(s string) string { return strings.TrimSuffix(plainBody, "}") + "," + s + "}" }
	limits := func(s string) string { return with(`"limits":{` + s + `}`) }
	mb := strings.Repeat("x", 1<<20)
	kinds := "Valid values are: 'java:8', 'nodejs:18', 'nodejs:20', 'nodejs:6', 'python:3', 'sequence', 'blackbox'."
	for _, c := range []struct {
		name, body string
		status     int
		text       string
	}{
		{"no exec", `{}`, 400, "exec undefined"},
		{"null exec", `{"exec":null}`, 400, "exec undefined"},
		{"exec is no object", exec(`"x"`), 400, malformed + "JSON object expected."},
		{"no kind", exec(`{"code":""}`), 400, malformed + "'kind' must be a string defined in 'exec'"},
		{"kind is no text", exec(`{"kind":1,"code":""}`), 400, malformed + "'kind' must be a string defined in 'exec'"},
		{"unknown kind", exec(`{"kind":" Perl ","code":""}`), 400, malformed + "The specified runtime 'perl' is not supported by this platform. " + kinds},
		{"sequence of nothing", exec(`{"kind":"sequence","components":[]}`), 400, "No component specified for the sequence."},
		{"sequence without components", exec(`{"kind":"Sequence "}`), 400, malformed + "'components' must be defined for sequence kind"},
		{"components are no array", exec(`{"kind":"sequence","components":{}}`), 400, malformed + "'components' must be an array"},
		{"component is no name", exec(`{"kind":"sequence","components":[1]}`), 400, malformed + "fully qualified name malformed"},
		{"component without namespace", exec(`{"kind":"sequence","components":["a"]}`), 400,
			malformed + "The fully qualified name of the entity must contain at least the namespace and the name of the entity."},
		{"no code", exec(`{"kind":"nodejs:20"}`), 400, malformed + "'code' must be a string defined in 'exec' for 'nodejs:20' actions"},
		{"code is no text", exec(`{"kind":"nodejs:20","code":{}}`), 400, malformed + "'code' must be a string defined in 'exec' for 'nodejs:20' actions"},
		{"main is no text", exec(`{"kind":"nodejs:20","code":"","main":7}`), 400, malformed + "if defined, 'main' must be a string in 'exec' for 'nodejs:20' actions"},
		{"main required", exec(`{"kind":"java:default","code":""}`), 400, malformed + "'main' must be a string defined in 'exec' for 'java:8' actions"},
		{"jar is for attached kinds", exec(`{"kind":"python:3","jar":""}`), 400, malformed + "'code' must be a string defined in 'exec' for 'python:3' actions"},
		{"no image", exec(`{"kind":"blackbox"}`), 400, malformed + "'image' must be a string defined in 'exec' for 'blackbox' actions"},
		{"image is no text", exec(`{"kind":"blackbox","image":[]}`), 400, malformed + "'image' must be a string defined in 'exec' for 'blackbox' actions"},
		{"main is too long", exec(`{"kind":"nodejs:20","code":"","main":"` + strings.Repeat("m", maxMain+1) + `"}`), 400, malformed + "'main' must not be longer than 1024 bytes"},
		{"bad image", exec(`{"kind":"blackbox","image":"A B"}`), 400, malformed + "could not parse image name"},
		{"deprecated", exec(`{"kind":"nodejs:6","code":""}`), 400, "The 'nodejs:6' runtime is no longer supported. You may read and delete but not update or invoke this action."},

		{"parameters are no array", with(`"parameters":{}`), 400, malformed + "parameters malformed!"},
		{"parameter without value", with(`"parameters":[{"key":"a"}]`), 400, malformed + "parameters malformed!"},
		{"parameter without key", with(`"parameters":[{"value":1}]`), 400, malformed + "parameters malformed!"},
		{"parameter key is no text", with(`"parameters":[{"key":1,"value":1}]`), 400, malformed + "parameters malformed!"},
		{"parameter init is no boolean", with(`"parameters":[{"key":"a","value":1,"init":"x"}]`), 400, malformed + "parameters malformed!"},
		{"annotation without value", with(`"annotations":[{"key":"a"}]`), 400, malformed + "parameters malformed!"},
		{"parameters too large", with(`"parameters":[{"key":"a","value":"` + mb + `"}]`), 413, "parameters larger than allowed: 1048579 > 1048576 bytes."},
		{"many parameters too large", with(`"parameters":[{"key":"a","value":"` + mb[:1<<19] + `"},{"key":"b","value":"` + mb[:1<<19] + `"}]`), 413, "parameters larger than allowed: 1048582 > 1048576 bytes."},
		{"annotations too large", with(`"annotations":[{"key":"a","value":"` + mb + `"}]`), 413, "annotations larger than allowed: 1048579 > 1048576 bytes."},
		{"size before range", with(`"limits":{"timeout":1},"annotations":[{"key":"a","value":"` + mb + `"}]`), 413, "annotations larger than allowed: 1048579 > 1048576 bytes."},
		{"delAnnotations is no array", with(`"delAnnotations":"a"`), 400, malformed + "'delAnnotations' must be an array of strings"},
		{"delAnnotations of numbers", with(`"delAnnotations":[1]`), 400, malformed + "'delAnnotations' must be an array of strings"},

		{"version", with(`"version":"1.x"`), 400, malformed + "semantic version malformed"},
		{"version 0", with(`"version":"0.0.0"`), 400, malformed + "semantic version malformed"},
		{"version is no text", with(`"version":1`), 400, malformed + "semantic version malformed"},
		{"publish", with(`"publish":"yes"`), 400, malformed + "'publish' must be a boolean"},

		{"limits", with(`"limits":[]`), 400, malformed + "JSON object expected."},
		{"timeout fraction", limits(`"timeout":1.5`), 400, malformed + "time limit must be whole number"},
		{"timeout text", limits(`"timeout":"60000"`), 400, malformed + "time limit malformed"},
		{"memory fraction", limits(`"memory":256.1`), 400, malformed + "memory limit must be whole number"},
		{"logs text", limits(`"logs":"x"`), 400, malformed + "log limit malformed"},
		{"concurrency fraction", limits(`"concurrency":1e-1`), 400, malformed + "concurrency limit must be whole number"},
		{"timeout above", limits(`"timeout":300001`), 400, "duration 300001 milliseconds exceeds allowed threshold of 300000 milliseconds"},
		{"timeout below", limits(`"timeout":99`), 400, "duration 99 milliseconds below allowed threshold of 100 milliseconds"},
		{"memory above", limits(`"memory":513`), 400, "memory size 513 MB exceeds allowed threshold of 512 MB"},
		{"memory below", limits(`"memory":127`), 400, "memory size 127 MB below allowed threshold of 128 MB"},
		{"logs above", limits(`"logs":11`), 400, "log size 11 MB exceeds allowed threshold of 10 MB"},
		{"logs below", limits(`"logs":-1`), 400, "log size -1 MB below allowed threshold of 0 MB"},
		{"concurrency above", limits(`"concurrency":65`), 400, "concurrency 65 exceeds allowed threshold of 64"},
		{"concurrency below", limits(`"concurrency":0`), 400, "concurrency 0 below allowed threshold of 1"},
		{"instances above", limits(`"instances":31`), 400, "Max action instance concurrency must not exceed your namespace concurrency of 30."},
		{"instances below", limits(`"instances":-1`), 400, "Action container concurrency must be greater than or equal to 0."},
		{"not UTF-8", exec(`{"kind":"nodejs:20","code":"` + "\xff" + `"}`), 400, malformed + "JSON text must be UTF-8."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			a := w.do("PUT", "_/actions/a", c.body)
			if a.status != c.status || a.text(t) != c.text {
				t.Errorf("got %d %q, want %d %q", a.status, a.text(t), c.status, c.text)
			}
			if w.count() != 0 {
				t.Error("an action was stored")
			}
		})
	}
}

func TestPutCodeSize(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.CodeSize = 1000 })
	body := func(n int) string {
		return `{"exec":{"kind":"nodejs:20","main":"main","code":"` + strings.Repeat("x", n-4) + `"}}`
	}
	if a := w.do("PUT", "_/actions/a", body(1000)); a.status != 200 {
		t.Errorf("at the limit: %d %s", a.status, a.body)
	}
	a := w.do("PUT", "_/actions/b", body(1001))
	if a.status != 413 || a.text(t) != "exec larger than allowed: 1001 > 1000 bytes." {
		t.Errorf("beyond the limit: %d %s", a.status, a.body)
	}
}

func TestPutConflicts(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	if a := w.do("PUT", "_/actions/a", plainBody); a.status != 409 || a.text(t) != "resource already exists" {
		t.Errorf("create again = %d %s", a.status, a.body)
	}
	for put, want := range map[*whisk.Error]string{
		whisk.ErrChanged:    "Concurrent modification to resource detected.",
		whisk.ErrExists:     "Concurrent modification to resource detected.", // created between look and write
		whisk.ErrCollection: "Resource by this name exists but is not in this collection.",
	} {
		w.putErr = put
		if a := w.do("PUT", "_/actions/a?overwrite=true", `{}`); a.status != 409 || a.text(t) != want {
			t.Errorf("%v = %d %s", put, a.status, a.body)
		}
	}
	w.putErr = whisk.ErrExists
	if a := w.do("PUT", "_/actions/new", plainBody); a.status != 409 || a.text(t) != "resource already exists" {
		t.Errorf("lost race = %d %s", a.status, a.body)
	}
	w.putErr = fmt.Errorf("disk: secret detail")
	if a := w.do("PUT", "_/actions/new", plainBody); a.status != 500 || a.text(t) != "There was an internal server error." {
		t.Errorf("broken store = %d %s", a.status, a.body)
	}
	// What is deprecated may be read and deleted only.
	w.runtimes[slicesIndex(w.runtimes, "nodejs:20")].Deprecated = true
	for _, c := range [][2]string{{"PUT", `{}`}, {"POST", `{}`}} {
		a := w.do(c[0], "_/actions/a?overwrite=true", c[1])
		if a.status != 400 || !strings.HasPrefix(a.text(t), "The 'nodejs:20' runtime is no longer supported.") {
			t.Errorf("%s deprecated = %d %s", c[0], a.status, a.body)
		}
	}
	if a := w.do("DELETE", "_/actions/a", ""); a.status != 200 {
		t.Errorf("DELETE deprecated = %d %s", a.status, a.body)
	}
}

func slicesIndex(rs whisk.Runtimes, kind string) int {
	for i := range rs {
		if rs[i].Kind == kind {
			return i
		}
	}
	return -1
}

func TestPutAllowedKinds(t *testing.T) {
	w := newWorld(t)
	w.mustPut("old", plainBody)
	w.ids[aliceKey].Overrides.AllowedKinds = []string{"python:3"}
	const want = "The supplied authentication is not authorized to access actions of kind 'nodejs:20'."
	for _, target := range []string{"_/actions/a", "_/actions/old"} { // before existence
		if a := w.do("PUT", target, plainBody); a.status != 403 || a.text(t) != want {
			t.Errorf("PUT %s = %d %s", target, a.status, a.body)
		}
	}
	if a := w.do("PUT", "_/actions/old?overwrite=true", `{"publish":true}`); a.status != 200 {
		t.Errorf("without code = %d %s", a.status, a.body)
	}
}

func TestProvideAPIKeyStays(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", `{"exec":{"kind":"nodejs:20","code":"x"},"annotations":[{"key":"provide-api-key","value":true}]}`)
	v, _ := w.stored("a").Annotations.Get("provide-api-key")
	if string(v) != "true" {
		t.Errorf("provide-api-key = %s", v)
	}
}

func TestAnnotationsDoNotGrowForEver(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	value := strings.Repeat("x", 900_000)
	for i, want := range []int{200, 413} {
		a := w.do("PUT", "_/actions/a?overwrite=true", fmt.Sprintf(`{"annotations":[{"key":"k%d","value":"%s"}]}`, i, value))
		if a.status != want {
			t.Errorf("update %d = %d %.200s, want %d", i, a.status, a.body, want)
		}
	}
}
