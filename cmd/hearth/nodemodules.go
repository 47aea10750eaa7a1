package main

import (
	"os"
	"path/filepath"
)

// defaultNodeModules finds the folder that scripts/setup makes, from where this
// program was built to: in a clone's root, in its bin, or beside a lib; "" where
// there is none.
func defaultNodeModules() string {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return ""
	}
	for _, dir := range []string{"runtimes/nodejs", "../runtimes/nodejs", "../lib/hearth"} {
		dir = filepath.Join(filepath.Dir(exe), dir, "node_modules")
		if fi, err := os.Stat(filepath.Join(dir, "openwhisk")); err == nil && fi.IsDir() {
			return dir
		}
	}
	return ""
}
