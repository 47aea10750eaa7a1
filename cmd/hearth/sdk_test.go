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

// TestCompleteNames holds that names come from the server, where there is one.
func TestCompleteNames(t *testing.T) {
	newFake(t)
	complete := func(line string) string {
		t.Helper()
		var out, errOut strings.Builder
		if err := run(t.Context(), strings.Fields(line), strings.NewReader(""), &out, &errOut); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return strings.ReplaceAll(out.String(), "\n", " ")
	}
	for _, line := range []string{"trigger create tick", "trigger create tock", "package create pkg", "rule create r tick echo"} {
		complete(line)
	}
	for _, tt := range []struct{ line, want string }{
		{"__complete trigger fire t", "tock tick :4 "},
		{"__complete trigger fire to", "tock :4 "},
		{"__complete trigger fire tock t", ":0 "},
		{"__complete trigger fire -p a b to", "tock :4 "},
		{"__complete -i trigger fire to", "tock :4 "},
		{"__complete trigger fire -p a", ":0 "},
		{"__complete trigger create x --feed /w", ":4 "},
		{"__complete rule disable r", "r :4 "},
		{"__complete rule create n", ":4 "},
		{"__complete rule create new to", "tock :4 "},
		{"__complete action create a a.js --web r", "raw :4 "},
		{"__complete api create --response-type ht", "http html :4 "},
		{"__complete package get p", "pkg :4 "},
		{"__complete action invoke x", ":4 "},
	} {
		if got := complete(tt.line); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.line, got, tt.want)
		}
	}
	t.Setenv("WHISK_APIHOST", "http://127.0.0.1:1")
	if got := complete("__complete trigger fire t"); got != ":4 " {
		t.Errorf("without a server: %q", got)
	}
}
