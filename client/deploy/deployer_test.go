package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hearth/client"
	"hearth/whisk"
)

const shop = `
project:
  name: shop
  packages:
    p:
      inputs: {common: 1}
      dependencies: {tools: {location: /whisk.system/utils, inputs: {s: 1}}}
      actions:
        a: {function: a.js, web: true, inputs: {x: "${PORT}", own: {z: "$${Q}"}, t: {value: string}}, limits: {timeout: 1000}}
        dir: {function: d, runtime: nodejs:default}
        img: {docker: me/img}
      sequences:
        first: {actions: "second, a"}
        second: {actions: "a, top/t"}
      triggers:
        tick: {feed: /whisk.system/alarms/alarm, inputs: {cron: "* * * * *"}}
        plain: {inputs: {i: 1}, annotations: {k: v}}
      rules:
        r: {trigger: plain, action: first}
        q: {trigger: tick, action: /_/top/t}
      apis: {api: {base: {hello: {a: {method: get, response: http}}}}}
    default:
      actions: {free: {code: "x", runtime: nodejs:default, main: m}}
    top:
      actions: {t: {function: a.py}}
`

var shopFiles = map[string]string{"manifest.yaml": shop, "a.js": "js", "a.py": "py", "d/index.js": "i"}

// put plans a project with a mark and does with it what do does.
func managedPlan(t *testing.T, files map[string]string) *Plan {
	t.Helper()
	s, err := open(t, files)
	if err != nil {
		t.Fatal(err)
	}
	m := target
	m.Managed = true
	p, err := s.Plan(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const shopNames = "actions/free actions/p/a actions/p/dir actions/p/first actions/p/img actions/p/second actions/top/t packages/p packages/tools packages/top rules/q rules/r triggers/plain triggers/tick"

func TestDeployAndUndeploy(t *testing.T) {
	f, d, said := newFake(t)
	p := plan(t, shopFiles)
	if err := d.Deploy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := f.names(); got != shopNames {
		t.Errorf("deployed %s", got)
	}
	if got := strings.Join(f.told, ", "); got != "CREATE /_/tick * * * * *" {
		t.Errorf("feeds were told %s", got)
	}
	if order := strings.Join(f.asked, " "); strings.Index(order, "PUT actions/p/second") > strings.Index(order, "PUT actions/p/first") {
		t.Errorf("a sequence came before its part: %s", order)
	}
	if f.docs["triggers/tick"]["parameters"] != nil {
		t.Error("a feed's parameters were kept in the trigger")
	}
	if !strings.HasPrefix(said.String(), "ok: deployed package p\nok: deployed package top\nok: deployed binding tools\nok: deployed action free\nok: deployed action p/a\n") {
		t.Errorf("said %s", said)
	}
	f.told = nil
	if err := d.Deploy(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.told, ", "); got != "DELETE /_/tick <nil>, CREATE /_/tick * * * * *" {
		t.Errorf("the second time feeds were told %s", got)
	}
	f.told = nil
	said.Reset()
	if err := d.Undeploy(t.Context(), p); err != nil || f.names() != "" || f.apis != nil {
		t.Errorf("left %s, %v, %v", f.names(), f.apis, err)
	}
	if got := strings.Join(f.told, ", "); got != "DELETE /_/tick <nil>" {
		t.Errorf("feeds were told %s", got)
	}
	if !strings.HasPrefix(said.String(), "ok: undeployed API /base/hello GET\nok: undeployed rule q\n") || !strings.HasSuffix(said.String(), "ok: undeployed package p\nok: undeployed binding tools\nok: undeployed package top\n") {
		t.Errorf("said %s", said)
	}
	said.Reset()
	if err := d.Undeploy(t.Context(), p); err != nil || said.String() != "" {
		t.Errorf("with nothing there: %v, %s", err, said)
	}
}

func TestDeployFailures(t *testing.T) {
	for _, tt := range []struct {
		name  string
		set   func(*fake)
		files map[string]string
		want  string
		there string
	}{
		{"refused", func(f *fake) { f.refuse["PUT actions/p/a"] = 413 }, shopFiles, "unable to deploy action 'p/a': refused (code t)", "actions/free packages/p packages/tools packages/top"},
		{"races are run again", func(f *fake) { f.races = attempts - 1 }, manifest("actions: {a: {function: a.js}}"), "", "actions/p/a packages/p"},
		{"but not for ever", func(f *fake) { f.races = attempts }, manifest("{}"), "Concurrent modification", ""},
		{"a feed that refuses takes its trigger along", func(*fake) {}, manifest("triggers: {t: {feed: /f/f/f, inputs: {cron: bad}}}"), "feed '/f/f/f' answered with the error: bad cron", "packages/p"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, d, _ := newFake(t)
			tt.set(f)
			err := d.Deploy(t.Context(), plan(t, tt.files))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if got := f.names(); got != tt.there {
				t.Errorf("left %s, want %s", got, tt.there)
			}
		})
	}
}

// TestTriggerLosesItsFeed holds that no stale feed stays in a trigger.
func TestTriggerLosesItsFeed(t *testing.T) {
	f, d, _ := newFake(t)
	for _, text := range []string{"triggers: {t: {feed: /f/f/f}}", "triggers: {t: {inputs: {a: 1}}}"} {
		if err := d.Deploy(t.Context(), plan(t, manifest(text))); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(mustJSON(t, f.docs["triggers/t"]["annotations"])); got != "null" {
		t.Errorf("left %s", got)
	}
}

func TestSync(t *testing.T) {
	f, d, said := newFake(t)
	if err := d.Sync(t.Context(), plan(t, shopFiles)); err == nil {
		t.Error("a plan without a mark was synchronised")
	}
	if err := d.Sync(t.Context(), managedPlan(t, shopFiles)); err != nil || f.names() != shopNames {
		t.Fatalf("%s, %v", f.names(), err)
	}
	foreign := &client.Package{Annotations: managed{Project: "other", Hash: "h"}.on(nil)}
	if _, err := d.Client.PutPackage(t.Context(), whisk.EntityName{Name: "foreign"}, foreign, true); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Client.PutPackage(t.Context(), whisk.EntityName{Name: "unmarked"}, &client.Package{}, true); err != nil {
		t.Fatal(err)
	}
	f.told = nil
	said.Reset()
	less := map[string]string{"manifest.yaml": "project: {name: shop, packages: {p: {actions: {a: {function: a.js}}, triggers: {plain: }}}}", "a.js": "js"}
	if err := d.Sync(t.Context(), managedPlan(t, less)); err != nil {
		t.Fatal(err)
	}
	if got, want := f.names(), "actions/p/a packages/foreign packages/p packages/unmarked triggers/plain"; got != want {
		t.Errorf("left %s, want %s", got, want)
	}
	if got := strings.Join(f.told, ", "); got != "DELETE /_/tick <nil>" {
		t.Errorf("feeds were told %s", got)
	}
	if !strings.Contains(said.String(), "ok: undeployed sequence p/first\n") {
		t.Errorf("said %s", said)
	}
	p, err := d.Find(t.Context(), "", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Undeploy(t.Context(), p); err != nil || f.names() != "packages/foreign packages/unmarked" {
		t.Errorf("left %s, %v", f.names(), err)
	}
}

// TestExport holds that what was saved deploys to the same again.
func TestExport(t *testing.T) {
	f, d, _ := newFake(t)
	if err := d.Sync(t.Context(), managedPlan(t, shopFiles)); err != nil {
		t.Fatal(err)
	}
	e, err := d.Export(t.Context(), "", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(sortedKeys(e.Manifest.Packages[e.first()].Triggers["tick"].Inputs), " "); got != "cron trigger_payload" {
		t.Errorf("an alarm's inputs are %s", got)
	}
	dir := filepath.Join(t.TempDir(), "new")
	file := filepath.Join(dir, "manifest.yaml")
	if err := e.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(file); err == nil {
		t.Error("a file that was there was overwritten")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Read(Config{Manifest: file, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer func() { _ = src.Close() }()
	m := target
	m.Managed = true
	again, err := src.Plan(m)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	f2, d2, _ := newFake(t)
	if err := d2.Deploy(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if f2.names() != shopNames {
		t.Errorf("deployed %s from\n%s", f2.names(), text)
	}
	hide := strings.NewReplacer(managedPlan(t, shopFiles).mark.Hash, "HASH", again.mark.Hash, "HASH")
	for path, doc := range f.docs {
		if got, want := essence(t, f2.docs[path], hide), essence(t, doc, hide); got != want {
			t.Errorf("%s:\n got %s\nwant %s\nfrom %s", path, got, want, text)
		}
	}
	if got := f2.told; !slices.Equal(got, []string{"CREATE /_/tick 1 * * * *"}) {
		t.Errorf("feeds were told %q", got)
	}
	if string(mustJSON(t, f2.apis)) != string(mustJSON(t, f.apis)) {
		t.Errorf("APIs %s, want %s", mustJSON(t, f2.apis), mustJSON(t, f.apis))
	}
	if _, err := d.Export(t.Context(), "", "none"); err == nil {
		t.Error("a project that is not there was saved")
	}
}

// essence returns an entity as JSON without what differs between two deploys of
// the same.
func essence(t *testing.T, doc map[string]any, hide *strings.Replacer) string {
	t.Helper()
	doc = maps.Clone(doc)
	delete(doc, "version")
	if list, ok := doc["annotations"].([]any); ok {
		doc["annotations"] = slices.SortedFunc(slices.Values(list), func(a, b any) int {
			return strings.Compare(a.(map[string]any)["key"].(string), b.(map[string]any)["key"].(string))
		})
	}
	return hide.Replace(string(mustJSON(t, doc)))
}
