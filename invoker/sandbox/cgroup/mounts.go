package cgroup

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// homes are the folders of this process's own groups, "" where there is none.
type homes struct {
	memory  string // version 1
	pids    string // version 1
	unified string // version 2
}

// findHomes reads where the hierarchies are mounted and where in them this
// process is. proc is "/proc", but in tests.
func findHomes(proc string) (homes, error) {
	groups, err := os.ReadFile(filepath.Join(proc, "self/cgroup"))
	if err != nil {
		return homes{}, err
	}
	mounts, err := os.ReadFile(filepath.Join(proc, "self/mountinfo"))
	if err != nil {
		return homes{}, err
	}
	paths := ownPaths(groups)
	var h homes
	for s := bufio.NewScanner(bytes.NewReader(mounts)); s.Scan(); {
		before, after, ok := strings.Cut(s.Text(), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || len(g) < 3 {
			continue
		}
		root, point := f[3], f[4]
		options := strings.Split(g[2], ",")
		switch {
		case g[0] == "cgroup2" && h.unified == "":
			h.unified = home(root, point, paths[""])
		case g[0] == "cgroup" && slices.Contains(options, "memory") && h.memory == "":
			h.memory = home(root, point, paths["memory"])
		case g[0] == "cgroup" && slices.Contains(options, "pids") && h.pids == "":
			h.pids = home(root, point, paths["pids"])
		}
	}
	return h, nil
}

// ownPaths reads /proc/self/cgroup: controller → path in its hierarchy; the
// controller of version 2 is "".
func ownPaths(text []byte) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		for c := range strings.SplitSeq(f[1], ",") {
			m[c] = f[2]
		}
	}
	return m
}

// home returns the folder of the group path in a hierarchy of which root is
// mounted at point. In a container the path may lie outside of what is
// mounted; then the mount's top is as near as one gets.
func home(root, point, path string) string {
	rel, ok := strings.CutPrefix(path, root)
	if root == "/" {
		rel, ok = path, true
	}
	if dir := filepath.Join(point, rel); ok && isDir(dir) {
		return dir
	}
	return point
}

func isDir(p string) bool {
	fi, err := os.Stat(p)
	return err == nil && fi.IsDir()
}
