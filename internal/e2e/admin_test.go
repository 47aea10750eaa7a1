package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/internal/binary"
)

// admin runs `hearth admin` on the platform's folder and returns what it prints.
func (p *platform) admin(args ...string) string {
	p.t.Helper()
	bin, err := binary.Build()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := exec.Command(bin, append([]string{"admin", "--data", p.dir}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("admin %q: %v: %s", args, err, out)
	}
	return string(out)
}

// until repeats a call until it has the status.
func (p *platform) until(status int, method, path string, body any) answer {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		a := p.do(method, path, body)
		if a.status == status {
			return a
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s %s = %d %s, want %d", method, path, a.status, a.body, status)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestAdmin: an operator blocks, limits and seals, by the admin API and on the
// folder beside the server.
func TestAdmin(t *testing.T) {
	const secret = "hunter2-hunter2"
	p := start(t, "--encrypt-parameters", "aes-256")
	put := p.do("PUT", "actions/a", map[string]any{
		"exec":       map[string]any{"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "#!/bin/sh\necho \"$1\"\n"},
		"parameters": []any{map[string]any{"key": "password", "value": secret}, map[string]any{"key": "other", "value": 1}},
	})
	if put.status != 200 {
		t.Fatalf("PUT = %d %s", put.status, put.body)
	}
	invoke := func(when string) {
		t.Helper()
		a := p.do("POST", "actions/a?blocking=true&result=true", map[string]any{"other": 2})
		if got := a.decode(t); a.status != 200 || got["password"] != secret || got["other"] != float64(2) {
			t.Errorf("%s: invoke = %d %s", when, a.status, a.body)
		}
	}
	invoke("created")
	sealed := p.do("GET", "actions/a", nil)
	for name, b := range map[string][]byte{"PUT": put.body, "GET": sealed.body} {
		if bytes.Contains(b, []byte(secret)) || !bytes.Contains(b, []byte(`"encryption":"aes-256"`)) {
			t.Errorf("%s shows %s", name, b)
		}
	}
	// What was shown can be sent back.
	if a := p.do("PUT", "actions/a?overwrite=true", map[string]any{"parameters": sealed.decode(t)["parameters"]}); a.status != 200 {
		t.Errorf("PUT of what GET showed = %d %s", a.status, a.body)
	}
	invoke("sent back")

	p.admin("user", "block", "guest")
	p.until(401, "GET", "actions", nil)
	p.admin("--offline", "user", "unblock", "guest")
	p.until(200, "GET", "actions", nil)
	p.admin("--offline", "limits", "set", "guest", "--invocationsPerMinute", "0")
	p.until(429, "POST", "actions/a?blocking=true", nil)
	p.admin("limits", "delete", "guest")
	p.until(200, "POST", "actions/a?blocking=true", nil)
	if out := p.admin("user", "list"); out != "guest\nwhisk.system\n" {
		t.Errorf("namespaces: %q", out)
	}

	p.stop()
	p.admin("rekey")
	files, err := filepath.Glob(filepath.Join(p.dir, "hearth.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || strings.Contains(string(b), `"password","value":"`+secret) {
			t.Errorf("%s holds the parameter in the open, %v", f, err)
		}
	}
	p.launch()
	invoke("rekeyed")
}
