package process

import (
	"strings"
	"testing"
)

func TestBareLaunchers(t *testing.T) {
	path := DefaultConfig("").SearchPath
	for family, code := range map[string]string{
		"nodejs": "function main(args) { return args }",
		"python": "def main(args):\n    return args\n",
	} {
		t.Run(family, func(t *testing.T) {
			if _, err := Interpreter(family, path); err != nil {
				t.Skip("no interpreter: ", err)
			}
			b, err := StartBare(family, path)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if err := b.Init(code); err != nil {
				t.Fatal(err)
			}
			for _, args := range []string{`{"n":1}`, `{}`, `{"pad":"` + strings.Repeat("x", 1<<20) + `"}`} {
				got, err := b.Run([]byte("> "), []byte(args))
				if err != nil || string(got) != "> "+args {
					t.Errorf("Run(%.20s) = %.40q (%d bytes), %v, want the same", args, got, len(got), err)
				}
			}
			if err := b.Init("return ["); err == nil {
				t.Error("no error from code that cannot be loaded")
			}
		})
	}
}

func TestBareWithoutInterpreter(t *testing.T) {
	if b, err := StartBare("nodejs", []string{t.TempDir()}); err == nil {
		_ = b.Close()
		t.Error("no error from an empty path")
	}
	if _, err := Interpreter("cobol", nil); err == nil {
		t.Error("no error for an unknown family")
	}
}
