package main

import (
	"os"
	"strings"
	"testing"
)

func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	said := func(line string) string {
		t.Helper()
		var out, errOut strings.Builder
		if err := run(t.Context(), strings.Fields(line), strings.NewReader(""), &out, &errOut); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return out.String()
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := said("completion " + shell); !strings.Contains(got, "hearth") {
			t.Errorf("%s: %.100s", shell, got)
		}
	}
	if got := said("__complete trigger cr"); !strings.HasPrefix(got, "create\t") {
		t.Errorf("completed to %s", got)
	}
	script := said("sdk install bashauto -s")
	if got := said("sdk install bashauto"); !strings.HasPrefix(got, "The bash auto-completion script (hearth_bash_completion.sh) is installed") {
		t.Errorf("said %s", got)
	}
	if b, err := os.ReadFile(bashCompletion); err != nil || string(b) != script || !strings.Contains(script, "hearth") {
		t.Errorf("wrote %.100s, %v", b, err)
	}
}
