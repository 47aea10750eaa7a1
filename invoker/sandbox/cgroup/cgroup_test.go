package cgroup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeSystem makes a /proc and a place for hierarchies; %s in the mounts is
// that place.
func fakeSystem(t *testing.T, groups, mounts string, dirs ...string) (proc, sys string) {
	t.Helper()
	top := t.TempDir()
	proc, sys = filepath.Join(top, "proc"), filepath.Join(top, "sys")
	for _, d := range append(dirs, "") {
		if err := os.MkdirAll(filepath.Join(sys, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(proc, "self"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"cgroup": groups, "mountinfo": strings.ReplaceAll(mounts, "%s", sys)} {
		if err := os.WriteFile(filepath.Join(proc, "self", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return proc, sys
}

func TestFindHomes(t *testing.T) {
	tests := []struct {
		name, groups, mounts string
		dirs                 []string
		want                 homes // below the place of the hierarchies
	}{
		{"version 2", "0::/system.slice/h.service\n",
			"30 23 0:26 / %s/cg rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
			[]string{"cg/system.slice/h.service"}, homes{unified: "cg/system.slice/h.service"}},
		{"version 2 in a container", "0::/../../outside\n",
			"30 23 0:26 / %s/cg rw - cgroup2 cgroup rw\n", []string{"cg"}, homes{unified: "cg"}},
		{"version 1", "9:name=systemd:/\n8:pids:/a\n4:cpu,memory:/b/c\n",
			"36 32 0:33 / %s/m rw - cgroup cgroup rw,cpu,memory\n37 32 0:34 / %s/p rw - cgroup cgroup rw,pids\n",
			[]string{"m/b/c", "p/a"}, homes{memory: "m/b/c", pids: "p/a"}},
		{"part of a hierarchy", "4:memory:/docker/x/y\n",
			"36 32 0:33 /docker/x %s/m rw - cgroup cgroup rw,memory\n", []string{"m/y"}, homes{memory: "m/y"}},
		{"both", "4:memory:/\n0::/\n",
			"36 32 0:33 / %s/m rw - cgroup cgroup rw,memory\n37 32 0:34 / %s/u rw - cgroup2 cgroup2 rw\n",
			[]string{"m", "u"}, homes{memory: "m", unified: "u"}},
		{"none", "", "1 2 0:3 / / rw - ext4 /dev/sda rw\nnonsense\n", nil, homes{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proc, sys := fakeSystem(t, tt.groups, tt.mounts, tt.dirs...)
			got, err := findHomes(proc)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*string{&got.memory, &got.pids, &got.unified} {
				if *p != "" {
					*p, _ = filepath.Rel(sys, *p)
				}
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestVersion2Files: what is written for version 2, on plain files in place of
// the kernel's.
func TestVersion2Files(t *testing.T) {
	proc, sys := fakeSystem(t, "0::/x\n", "30 23 0:26 / %s rw - cgroup2 cgroup2 rw\n", "x/hearth-t/g")
	for _, f := range []string{"x/cgroup.subtree_control", "x/hearth-t/cgroup.subtree_control", "x/hearth-t/g/memory.max",
		"x/hearth-t/g/memory.swap.max", "x/hearth-t/g/memory.oom.group", "x/hearth-t/g/pids.max", "x/hearth-t/g/cgroup.kill"} {
		if err := os.WriteFile(filepath.Join(sys, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h, err := findHomes(proc)
	if err != nil {
		t.Fatal(err)
	}
	tree := &Tree{home: h}
	if err := tree.openV2("hearth-t"); err != nil {
		t.Fatal(err)
	}
	g, err := tree.New("g", Limits{Memory: 1 << 20, Pids: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer g.fd.Close()
	if g.FD() < 0 {
		t.Error("no descriptor to clone into")
	}
	if leave, err := g.Enter(); err != nil || leave() != nil {
		t.Errorf("entering where there is no version 1: %v", err)
	}
	g.Kill()
	if err := os.WriteFile(filepath.Join(sys, "x/hearth-t/g/memory.events"), []byte("oom 3\noom_kill 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := g.OOMKills(); n != 2 {
		t.Errorf("%d kills counted, want 2", n)
	}
	for file, want := range map[string]string{"x/cgroup.subtree_control": "+memory +pids", "x/hearth-t/g/memory.max": "1048576",
		"x/hearth-t/g/memory.swap.max": "0", "x/hearth-t/g/memory.oom.group": "1", "x/hearth-t/g/pids.max": "7", "x/hearth-t/g/cgroup.kill": "1"} {
		if got, _ := os.ReadFile(filepath.Join(sys, file)); string(got) != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}

func TestUnavailable(t *testing.T) {
	proc, _ := fakeSystem(t, "", "")
	if _, err := open(proc, "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	if _, err := open("/nonexistent", "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

// realTree opens control groups of this machine, or skips the test.
func realTree(t *testing.T, name string) *Tree {
	t.Helper()
	tree, err := Open(name)
	if err != nil {
		t.Skipf("not here: %v", err)
	}
	return tree
}

// startIn starts a shell script in the group, and returns it with its first
// line of output written.
func startIn(t *testing.T, g *Group, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	if fd := g.FD(); fd >= 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	leave, err := g.Enter()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Start()
	if e := leave(); e != nil {
		t.Fatal(e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestRealGroup(t *testing.T) {
	tree := realTree(t, "hearth-test-group")
	defer tree.Close()
	g, err := tree.New("a", Limits{Memory: 64 << 20, Pids: 50})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // again after a kill
		if err := g.Renew(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		cmd := startIn(t, g, "sleep 300 & sleep 300")
		for end := time.Now().Add(time.Minute); len(g.Procs()) < 2 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if got := g.Procs(); len(got) < 2 {
			t.Errorf("the group holds %v", got)
		}
		g.Kill()
		if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Errorf("ended with %v", err)
		}
	}
	if err := g.Remove(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestRealMemoryLimit(t *testing.T) {
	tree := realTree(t, "hearth-test-memory")
	defer tree.Close()
	g, err := tree.New("a", Limits{Memory: 16 << 20, Pids: 50})
	if err != nil {
		t.Fatal(err)
	}
	cmd := startIn(t, g, "exec tail /dev/zero") // keeps all it reads until a line ends
	if err := cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
	if g.OOMKills() == 0 {
		t.Error("no kill was counted")
	}
	if err := g.Remove(10 * time.Second); err != nil {
		t.Error(err)
	}
}

// TestRealLeftovers: Open kills and removes what an earlier life left.
func TestRealLeftovers(t *testing.T) {
	tree := realTree(t, "hearth-test-left")
	g, err := tree.New("a", Limits{Memory: 64 << 20, Pids: 50})
	if err != nil {
		t.Fatal(err)
	}
	cmd := startIn(t, g, "exec sleep 300")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	again := realTree(t, "hearth-test-left")
	if err := <-ended; err == nil {
		t.Error("the process ended well")
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	_ = g.fd.Close()
}
