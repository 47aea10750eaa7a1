package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/cgroup"
)

// newBox makes the folder, the user id and the control group of a sandbox.
func (d *Driver) newBox(spec sandbox.Spec) (*box, error) {
	b := &box{
		d: d, spec: spec, uid: -1, logs: newLogs(), broken: make(chan struct{}),
		id: strconv.FormatInt(int64(os.Getpid()), 36) + "-" + strconv.FormatInt(d.lastID.Add(1), 10),
	}
	b.home = filepath.Join(d.dir, sandboxesFolder, b.id)
	d.mu.Lock()
	closed := d.boxes == nil
	if !closed {
		d.boxes[b] = true
	}
	d.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if err := b.prepare(); err != nil {
		b.Destroy()
		return nil, err
	}
	return b, nil
}

func (b *box) prepare() error {
	if b.d.uids != nil {
		uid, err := b.d.uids.take()
		if err != nil {
			return err
		}
		b.uid = uid
	}
	if b.d.groups != nil {
		g, err := b.d.groups.New(b.id, cgroup.Limits{Memory: b.spec.MemoryMB << 20, Pids: b.pidLimit()})
		if err != nil {
			return err
		}
		b.group = g
	}
	if err := os.Mkdir(b.home, 0o700); err != nil {
		return fmt.Errorf("sandbox folder: %w", err)
	}
	if b.uid >= 0 {
		if err := os.Lchown(b.home, b.uid, b.uid); err != nil {
			return fmt.Errorf("sandbox folder: %w", err)
		}
	}
	return nil
}

// environment returns the variables of the box's processes. What the platform
// sets cannot be overridden by more, but for PATH, LANG and TZ.
func (b *box) environment(more map[string]string) []string {
	m := map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
	for k, v := range more {
		if k != "" && !strings.ContainsAny(k, "=\x00") && !strings.ContainsRune(v, 0) {
			m[k] = v
		}
	}
	for k, v := range b.spec.Env {
		m[k] = v
	}
	m["HOME"] = b.home
	env := make([]string, 0, len(m))
	for k, v := range m {
		env = append(env, k+"="+v)
	}
	return env
}
