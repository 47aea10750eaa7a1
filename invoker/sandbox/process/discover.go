package process

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// language is an interpreter that was found, with our launcher for it.
type language struct {
	family   string
	kind     string // "nodejs:20"
	image    string // of OpenWhisk's runtime, for clients that look for one
	path     string // of the interpreter
	launcher string // file name
	flags    func(memoryMB int64) []string
}

// candidate is a language that may be there.
type candidate struct {
	family   string
	programs []string
	ask      []string // arguments that print "major.minor…"
	minMajor int
	minMinor int
	kind     func(major, minor string) (kind, image string)
	launcher string
	flags    func(int64) []string
}

var candidates = []candidate{
	{
		family: "nodejs", programs: []string{"node", "nodejs"},
		ask: []string{"-p", "process.versions.node"}, minMajor: 18,
		kind: func(major, _ string) (string, string) {
			return "nodejs:" + major, "openwhisk/action-nodejs-v" + major + ":nightly"
		},
		launcher: "launcher.js", flags: nodeFlags,
	},
	{
		family: "python", programs: []string{"python3"},
		ask: []string{"-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"}, minMajor: 3, minMinor: 9,
		kind: func(major, minor string) (string, string) {
			return "python:" + major + "." + minor, "openwhisk/action-python-v" + major + "." + minor + ":nightly"
		},
		launcher: "launcher.py", flags: pythonFlags,
	},
}

// discover finds the interpreters. Each is asked for its version once, by a
// process like those of sandboxes, so that one that they cannot read or run is
// not taken.
func (d *Driver) discover() []*language {
	var found []*language
	for _, c := range candidates {
		if l := d.find(c); l != nil {
			d.log.Info("found interpreter", "kind", l.kind, "path", l.path)
			found = append(found, l)
		}
	}
	return found
}

func (d *Driver) find(c candidate) *language {
	for _, dir := range d.cfg.SearchPath {
		for _, name := range c.programs {
			path := filepath.Join(dir, name)
			if !isELF(path) {
				continue
			}
			major, minor, ok := d.version(path, c.ask)
			if !ok || less(major, minor, c.minMajor, c.minMinor) {
				d.log.Info("interpreter does not serve", "path", path, "version", major+"."+minor)
				continue
			}
			kind, image := c.kind(major, minor)
			return &language{c.family, kind, image, path, c.launcher, c.flags}
		}
	}
	return nil
}

// isELF reports whether the file is a program of its own, not a script that
// would look for one at each start.
func isELF(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	_, err = f.Read(head)
	return err == nil && bytes.Equal(head, []byte("\x7fELF"))
}

var versionText = regexp.MustCompile(`^(\d+)\.(\d+)`)

// version asks an interpreter for its version.
func (d *Driver) version(path string, ask []string) (major, minor string, ok bool) {
	b := &box{d: d, id: "version", home: d.dir, uid: -1, logs: newLogs(), broken: make(chan struct{})}
	if d.uids != nil {
		uid, err := d.uids.take()
		if err != nil {
			return "", "", false
		}
		defer d.uids.give(uid)
		b.uid = uid
	}
	var text []byte
	p, ps, err := newProc(b.logs, false)
	if err != nil {
		return "", "", false
	}
	defer p.closeFiles()
	defer ps.close()
	p.sink[stdout] = func(t []byte) bool { text = append(text, t[:min(len(t), 100)]...); return len(text) < 1000 }
	p.rest, p.broke = func() {}, func(error) {}
	st, err := d.starter.start(command{
		path: path, args: append([]string{path}, ask...), env: b.environment(nil), dir: "/", uid: b.uid,
		files: []int{d.null, ps.stdout, d.null}, pids: defaultPids, ours: true,
	})
	if err != nil {
		return "", "", false
	}
	p.run(st)
	select {
	case <-p.exited:
	case <-time.After(d.cfg.StartTimeout):
		p.signal()
		<-p.exited
	}
	p.drain() // takes the lock under which text was written
	m := versionText.FindSubmatch(text)
	if m == nil || p.status.ExitStatus() != 0 {
		return "", "", false
	}
	return string(m[1]), string(m[2]), true
}

func less(major, minor string, minMajor, minMinor int) bool {
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return a < minMajor || a == minMajor && b < minMinor
}
