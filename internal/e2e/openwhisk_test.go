package e2e

import (
	"os"
	"testing"
)

// nodeModules is where scripts/setup installs what nodejs actions can require.
const nodeModules = "../../runtimes/nodejs/node_modules"

// TestRequireOpenWhisk: an action requires the npm module openwhisk, which it
// does not bring, and invokes another one with the key that it was given.
func TestRequireOpenWhisk(t *testing.T) {
	if _, err := os.Stat(nodeModules + "/openwhisk/package.json"); err != nil {
		t.Fatalf("the npm module openwhisk is not installed (%v): run scripts/setup test", err)
	}
	p := start(t, "--node-modules", nodeModules)
	p.create("inner", "nodejs:default", `const main = ({ n }) => ({ n: n + 1 });`, nil)
	p.create("outer", "nodejs:default", `const openwhisk = require('openwhisk');
const main = ({ n }) => openwhisk().actions.invoke({ name: 'inner', params: { n }, blocking: true, result: true });`, nil)
	a := p.do("PUT", "actions/outer?overwrite=true", map[string]any{"annotations": []any{map[string]any{"key": "provide-api-key", "value": true}}})
	if a.status != 200 {
		t.Fatalf("annotate: status %d: %s", a.status, a.body)
	}
	a = p.do("POST", "actions/outer?blocking=true&result=true", map[string]any{"n": 41})
	if got := a.decode(t)["n"]; a.status != 200 || got != 42.0 {
		t.Errorf("status %d: %s", a.status, a.body)
	}
}
