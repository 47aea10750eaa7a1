package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"hearth/invoker/sandbox/process"
	"hearth/invoker/sandbox/sandboxtest"
)

// moduleDir makes a folder with the module "given", which says which it is.
func moduleDir(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "modules")
	pkg := filepath.Join(dir, "given")
	if err := os.MkdirAll(pkg, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"package.json": `{"name":"given","main":"main.js"}`,
		"main.js":      `module.exports = 'the given one';`,
	} {
		if err := os.WriteFile(filepath.Join(pkg, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestNodeModules(t *testing.T) {
	const source = `const given = require('given'); const main = () => ({ given });`
	for _, tt := range []struct {
		name, code, want string
		binary           bool
	}{
		{"source", source, `{"given":"the given one"}`, false},
		{"archive", files(t, "index.js", `exports.main = () => ({ given: require('given') });`), `{"given":"the given one"}`, true},
		{"module", files(t, "index.mjs", `import given from 'given'; export const main = () => ({ given });`), `{"given":"the given one"}`, true},
		{"own", files(t, "index.js", `exports.main = () => ({ given: require('given') });`,
			"node_modules/given/index.js", `module.exports = 'my own';`), `{"given":"my own"}`, true},
	} {
		for _, mode := range []os.FileMode{0o755, 0o700} { // 0700: as root it is copied
			t.Run(tt.name, func(t *testing.T) {
				cfg := process.DefaultConfig(t.TempDir())
				cfg.NodeModules = moduleDir(t, mode)
				d, err := process.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				b := sandboxtest.NewBox(t, d, specOf(t, d, "nodejs"))
				defer b.Destroy()
				b.MustLoad(tt.code, sandboxtest.With{Binary: tt.binary})
				if got := b.MustCall(`{}`, sandboxtest.With{}); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	}
}

func TestNodeModulesMissing(t *testing.T) {
	cfg := process.DefaultConfig(t.TempDir())
	cfg.NodeModules = filepath.Join(t.TempDir(), "absent")
	if d, err := process.New(cfg); err == nil {
		t.Error("a folder that is not there was taken")
		_ = d.Close()
	}
}
