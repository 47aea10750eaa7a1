package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hearth/internal/binary"
)

// client runs a command of the client as guest, in dir, and returns what it
// prints and how it exits.
func (p *platform) client(dir, line string) (string, int) {
	p.t.Helper()
	bin, err := binary.Build()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(bin, strings.Fields(line)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "WSK_CONFIG_FILE=", "WHISK_APIHOST="+p.base, "WHISK_AUTH="+guestUUID+":"+guestKey, "WHISK_APIVERSION=")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// step is one command of a script: what it prints must match want.
type step struct {
	line string
	code int
	want string // a regular expression
}

func (p *platform) script(dir string, steps []step) {
	p.t.Helper()
	for _, s := range steps {
		out, code := p.client(dir, s.line)
		if ok, err := regexp.MatchString("(?s)"+s.want, out); err != nil || !ok || code != s.code {
			p.t.Errorf("hearth %s: exit %d, want %d; printed\n%swant %s", s.line, code, s.code, out, s.want)
		}
	}
}

func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const feedCode = `#!/bin/sh
case "$1" in *'"cron":"bad"'*) echo '{"error":"bad cron"}';; *) echo '{"config":{"cron":"0 3 * * *"}}';; esac
`

// TestClient runs every group of the client's commands against a server.
func TestClient(t *testing.T) {
	p := start(t)
	dir := files(t, map[string]string{"echo.sh": "#!/bin/sh\necho \"$1\"\n", "feed.sh": feedCode})
	p.script(dir, []step{
		{"package create pkg -p a 1 --shared yes", 0, "^ok: created package pkg\n$"},
		{"package create pkg", 153, "resource already exists"},
		{"action create pkg/echo echo.sh --native -p b 2", 0, "ok: created action pkg/echo"},
		{"action create pkg/feed feed.sh --native -a feed true", 0, "ok: created action pkg/feed"},
		{"action create top echo.sh --native --web true", 0, "ok: created action top"},
		{"package bind pkg bound -p a 3", 0, "ok: created binding bound"},
		{"package get bound", 0, `"binding": \{\n        "namespace": "guest",\n        "name": "pkg"`},
		{"package get pkg --summary", 0, `^package /guest/pkg: .*\n action /guest/pkg/echo\n.*\n feed   /guest/pkg/feed`},
		{"package list -n", 0, `^packages\n/guest/bound +private\n/guest/pkg +shared\n$`},
		{"package delete pkg", 153, `Package not empty \(contains 2 entities\)`},
		{"action invoke bound/echo -r -p c 4", 0, `"a": 3,\n    "b": 2,\n    "c": 4`},
		{"action create seq --sequence top,pkg/echo", 0, "ok: created action seq"},
		{"action invoke seq -r -p c 5", 0, `"c": 5`},

		{"trigger create t -p a 1", 0, "ok: created trigger t"},
		{"trigger create fed --feed pkg/feed -p cron 1", 0, `^ok: invoked /_/pkg/feed with id [0-9a-f]{32}\n\{.*ok: created trigger fed\n$`},
		{"trigger create bad --feed pkg/feed -p cron bad", 246, "ok: deleted trigger bad.*bad cron"},
		{"trigger get bad", 148, "does not exist"},
		{"trigger get fed", 0, `"cron": "0 3 \* \* \*"`},
		{"trigger fire t", 0, `^ok: triggered /_/t with id \n$`},
		{"rule create r t top", 0, "ok: created rule r"},
		{"trigger fire t -p b 2", 0, `^ok: triggered /_/t with id [0-9a-f]{32}\n$`},
		{"rule disable r", 0, "ok: disabled rule r"},
		{"rule status r", 0, "ok: rule r is inactive"},
		{"rule list", 0, `^rules\n/guest/r +private +inactive\n$`},
		{"rule delete r", 0, "ok: deleted rule r"},
		{"trigger delete fed", 0, "ok: deleted trigger fed"},
		{"list", 0, `^Entities in namespace: default\npackages\n.*actions\n.*triggers\n/guest/t +private\nrules\n$`},
		{"namespace list", 0, "^namespaces\nguest\n$"},

		{"api create /hi /hello get top", 0, `^ok: created API /hi/hello GET for action /_/top\nhttp://[^\n]*/hi/hello\n$`},
		{"api create /hi /hello get pkg/echo", 1, "is not a web action"},
		{"api list", 0, `^ok: APIs\nAction .*\n/guest/top +get +/hi +http`},
		{"api get /hi", 0, `"basePath": "/hi"`},
		{"api delete /hi", 0, "ok: deleted API /hi"},
		{"api get /hi", 1, "API does not exist for basepath /hi"},
	})
}

const project = `
project:
  name: shop
  packages:
    shop:
      inputs: {currency: EUR}
      dependencies: {tools: {location: /guest/lib}}
      actions:
        place: {function: place.sh, native: true, web: true, inputs: {money: "${currency}"}}
        tidy: {function: tidy, runtime: nodejs}
      sequences: {both: {actions: "place, tools/echo"}}
      triggers: {nightly: {feed: lib/feed, inputs: {cron: "0 3 * * *"}}, now: }
      rules: {clean: {trigger: now, action: tidy}}
      apis: {orders: {orders: {"/{id}": {place: {method: get, response: http}}}}}
`

// TestDeploy puts a project on a server, changes it, saves it and takes it away.
func TestDeploy(t *testing.T) {
	p := start(t)
	dir := files(t, map[string]string{
		"echo.sh": "#!/bin/sh\necho \"$1\"\n", "feed.sh": feedCode,
		"p/manifest.yaml": project, "p/place.sh": "#!/bin/sh\necho \"$1\"\n", "p/tidy/index.js": "exports.main = () => ({tidy: true})\n",
		"less.yaml": "project: {name: shop, packages: {shop: {actions: {place: {function: p/place.sh, native: true}}}}}\n",
	})
	nothing := `^Entities in namespace: default\npackages\n/guest/lib +private\nactions\n/guest/lib/echo [^\n]*\n/guest/lib/feed [^\n]*\ntriggers\nrules\n$`
	p.script(dir, []step{
		{"package create lib", 0, "ok"},
		{"action create lib/echo echo.sh --native", 0, "ok"},
		{"action create lib/feed feed.sh --native", 0, "ok"},
		{"deploy -p p --preview", 0, "\\* trigger: nightly"},
		{"list -n", 0, nothing},
		{"deploy -p p", 0, "Success: Deployment completed successfully.\n$"},
		{"deploy -p p", 0, "Success: Deployment completed successfully.\n$"},
		{"action invoke shop/both -r", 0, `"money": "EUR"`},
		{"action invoke shop/tidy -r", 0, `"tidy": true`},
		{"trigger fire now", 0, "with id [0-9a-f]{32}"},
		{"api list", 0, `/guest/shop/place +get +orders +http`},
		{"deploy sync -p p", 0, "Success"},
		{"deploy export --projectname shop -m copy/manifest.yaml", 0, "Manifest exported to: copy/manifest.yaml"},
		{"deploy sync -m less.yaml", 0, "ok: undeployed rule clean\n.*ok: undeployed sequence shop/both\nok: undeployed action shop/tidy\nok: undeployed binding tools\nSuccess"},
		{"list -n", 0, `packages\n/guest/lib [^\n]*\n/guest/shop [^\n]*\nactions\n[^\n]*echo [^\n]*\n[^\n]*feed [^\n]*\n/guest/shop/place [^\n]*\ntriggers\nrules\n$`},
		{"deploy undeploy --projectname shop", 0, "ok: undeployed API /orders/\\{id\\} GET\nok: undeployed action shop/place\nok: undeployed package shop\nSuccess"},
		{"list -n", 0, nothing},
		{"deploy -m copy/manifest.yaml", 0, "Success"},
		{"action invoke shop/both -r", 0, `"money": "EUR"`},
		{"action invoke shop/tidy -r", 0, `"tidy": true`},
		{"deploy undeploy -m copy/manifest.yaml", 0, "Success"},
		{"list -n", 0, nothing},
	})
}
