package process_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/sandboxtest"
	"hearth/whisk"
)

const look = `#!/bin/sh
status() { sed -n "s/^$1:[[:space:]]*\([0-9a-f]*\).*/\1/p" /proc/self/status; }
limit() { sed -n "s/^Max $1 *\([0-9a-z]*\) *\([0-9a-z]*\).*/\1 \2/p" /proc/self/limits; }
echo "{\"uid\":\"$(status Uid)\",\"gid\":\"$(status Gid)\",\"groups\":\"$(status Groups)\",\"caps\":\"$(status CapEff)\",\"nnp\":\"$(status NoNewPrivs)\",
\"files\":\"$(limit 'open files')\",\"core\":\"$(limit 'core file size')\",\"umask\":\"$(status Umask)\",
\"fds\":\"$(ls /proc/$$/fd | tr '\n' ' ')\",\"session\":\"$(cut -d' ' -f6 /proc/$$/stat)\",\"pid\":\"$$\",
\"env\":\"$(tr '\0' '\n' </proc/$$/environ | cut -d= -f1 | sort | tr '\n' ' ')\",\"home\":\"$HOME\",\"mode\":\"$(stat -c %a $HOME)\",
\"others\":\"$(ls $HOME/.. 2>&1 | tr -d '\n\"')\"}" | tr '\n' ' '
`

// see is what a program finds about itself.
type see struct {
	UID, GID, Groups, Caps, NNP, Files, Core, Umask, FDs, Session, Pid, Env, Home, Mode, Others string
}

func lookAround(t *testing.T, d sandbox.Driver) (*sandboxtest.Box, see) {
	t.Helper()
	b := sandboxtest.NewBox(t, d, specOf(t, d, whisk.Blackbox))
	b.MustLoad(look, sandboxtest.With{})
	var v see
	got := b.MustCall(`{}`, sandboxtest.With{})
	if err := json.Unmarshal([]byte(got), &v); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	return b, v
}

func TestIsolation(t *testing.T) {
	leak, err := os.Open("/dev/null") // what a careless parent would leave open
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	if _, _, e := syscall.Syscall(syscall.SYS_FCNTL, leak.Fd(), syscall.F_SETFD, 0); e != 0 {
		t.Fatal(e)
	}
	t.Setenv("SECRET", "in our environment")
	d := newDriver(t)
	defer d.Close()
	a, va := lookAround(t, d)
	_, vb := lookAround(t, d)

	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %q, want %q", what, got, want)
		}
	}
	check("no_new_privs", va.NNP, "1")
	check("open files limit", va.Files, "1024 1024")
	check("core limit", va.Core, "0 0")
	check("umask", va.Umask, "0077")
	check("session", va.Session, va.Pid)
	check("mode of the folder", va.Mode, "700")
	env := slices.DeleteFunc(strings.Fields(va.Env), func(s string) bool {
		return strings.HasPrefix(s, "__OW_") || s == "PWD" || s == "_" || s == "SHLVL" // the last are the shell's own
	})
	check("environment", strings.Join(env, " "), "HOME LANG PATH TZ")
	for _, fd := range strings.Fields(va.FDs) {
		if !slices.Contains([]string{"0", "1", "2", "10"}, fd) { // 10 is the script, opened by the shell
			t.Errorf("descriptor %s is open", fd)
		}
	}
	if !strings.HasPrefix(d.Isolation(), "partial: no ") {
		t.Errorf("isolation %q", d.Isolation())
	}
	if os.Geteuid() != 0 {
		check("user id", va.UID, fmt.Sprint(os.Getuid()))
		return
	}
	check("capabilities", va.Caps, "0000000000000000")
	check("other groups", va.Groups, "")
	check("group id", va.GID, va.UID)
	if va.UID == "0" || va.UID == vb.UID {
		t.Errorf("two sandboxes have the user ids %s and %s", va.UID, vb.UID)
	}
	if !strings.Contains(va.Others, "denied") {
		t.Errorf("a sandbox sees the others' folder: %s", va.Others)
	}
	b := sandboxtest.NewBox(t, d, specOf(t, d, whisk.Blackbox))
	b.MustLoad("#!/bin/sh\ncat "+va.Home+"/action/exec >/dev/null 2>&1 && echo '{\"read\":1}' || echo '{\"read\":0}'", sandboxtest.With{})
	check("reading another's code", b.MustCall(`{}`, sandboxtest.With{}), `{"read":0}`)
	a.Destroy()
	if _, err := os.Stat(va.Home); !os.IsNotExist(err) {
		t.Errorf("the folder %s is still there: %v", va.Home, err)
	}
}

// TestForgedReplies: code that finds the reply pipe spoils its own activation
// and nothing else.
func TestForgedReplies(t *testing.T) {
	d := newDriver(t)
	defer d.Close()
	spec := specOf(t, d, "python")
	tests := []struct {
		name, write string
		ending      sandbox.Ending
		body        string
		broken      bool
	}{
		{"own id", `(args['id'] + ' 200 {"forged":1}\n').encode()`, sandbox.Replied, `{"forged":1}`, true},
		{"two at once", `(args['id'] + ' 200 {"forged":1}\n' + args['id'] + ' 200 {"forged":2}\n').encode()`, sandbox.Replied, `{"forged":1}`, true},
		{"another id", `b'0' * 32 + b' 200 {}\n'`, sandbox.Misbehaved, "", true},
		{"junk", `b'junk\n'`, sandbox.Misbehaved, "", true},
		{"empty line", `b'\n'`, sandbox.Misbehaved, "", true},
		{"a part", `args['id'][:10].encode()`, sandbox.Misbehaved, "", true},
		{"nothing", `b''`, sandbox.Replied, `{}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := sandboxtest.NewBox(t, d, spec)
			b.MustLoad("import os, time\ndef main(args):\n    args = {'id': os.environ['__OW_ACTIVATION_ID']}\n    os.write(11, "+tt.write+")\n    return {}", sandboxtest.With{})
			o := b.Call(`{}`, sandboxtest.With{})
			if o.Ending != tt.ending || string(o.Body) != tt.body {
				t.Errorf("got %s, want %s %s", sandboxtest.Show(o), tt.ending, tt.body)
			}
			if tt.broken && !b.IsBroken() {
				t.Error("the sandbox goes on")
			}
			if !tt.broken {
				b.MustCall(`{}`, sandboxtest.With{})
			}
		})
	}
	t.Run("closes the pipe", func(t *testing.T) {
		b := sandboxtest.NewBox(t, d, spec)
		b.MustLoad("import os\ndef main(args):\n    os.close(11)\n    while True: pass", sandboxtest.With{})
		if o := b.Call(`{}`, sandboxtest.With{}); o.Ending != sandbox.Exited {
			t.Errorf("got %s", sandboxtest.Show(o))
		}
	})
	t.Run("endless", func(t *testing.T) {
		b := sandboxtest.NewBox(t, d, spec)
		b.MustLoad("import os\ndef main(args):\n    os.write(11, os.environ['__OW_ACTIVATION_ID'].encode() + b' 200 ')\n    while True: os.write(11, b'x' * 65536)", sandboxtest.With{})
		if o := b.Call(`{}`, sandboxtest.With{}); o.Ending != sandbox.Misbehaved {
			t.Errorf("got %s", sandboxtest.Show(o))
		}
	})
}

// TestAsOrdinaryUser runs the tests that differ most again as nobody, who has
// no user ids and no control groups to give to sandboxes.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root, so all tests run as an ordinary user anyway")
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "hearth-ordinary-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tests")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-test.run=^(TestConformance|TestIsolation|TestKilledDriver|TestCloseDestroys)$/^(nodejs|python|blackbox)$/^(bad_code|bad_init|ends)$")
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + dir, "PATH=/usr/bin:/bin", "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
