package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write testdata from what is printed now")

// TestCommands runs the lines of the scripts in testdata that begin with $
// against the fake server and compares what they print, what they ask and how
// they exit with the lines below each.
func TestCommands(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(scripts) < 2 {
		t.Fatal(scripts, err)
	}
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	for _, script := range scripts {
		path, err := filepath.Abs(script)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(script), func(t *testing.T) { runScript(t, path) })
	}
}

// zipped finds the base64 of archives, which compress differently with each
// version of Go.
var zipped = regexp.MustCompile(`"UEsDB[A-Za-z0-9+/=]{40,}"`)

func runScript(t *testing.T, script string) {
	want, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	f.apis = fakeAPIs
	f.records = "[" + fakeRecord("echo", "success", "true", `{"b":1,"a":2}`) + "," +
		strings.Replace(fakeRecord("averyveryverylongactionnamethatneedscutting", "success", "true", `{}`), `"publish"`, `"statusCode":2,"publish"`, 1) + "]"
	project, err := filepath.Abs("testdata/project")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS("project", os.DirFS(project)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"hello.js": "function main() { return {a: '<&>'} }\n", "hello.py": "def main(a): return a\n", "hello.xyz": "x",
		"bin.zip": "PK\x03\x04\x00\xff", "native": "\x7fELF\x02", "params.json": `{"over":0,"o":{"b":1,"a":[]}}`, "bad.json": "{bad",
		"swagger.json": fakeSwagger, "swagger.yaml": "swagger: '2.0'\nbasePath: /y\ninfo: {title: why}\npaths: {}\n", "bad.yaml": "a: [",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hide := strings.NewReplacer(f.URL, "$URL", dir, "$DIR", fakeKey, "$KEY", "\t"+buildVersion()+"\n", "\t$VERSION\n", "("+buildVersion()+")", "($VERSION)", "\x1b", "ESC")
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		if !strings.HasPrefix(line, "$ ") {
			if strings.HasPrefix(line, "# ") {
				got.WriteString(line)
			}
			continue
		}
		got.WriteString(line)
		got.WriteString(zipped.ReplaceAllString(hide.Replace(runLine(t, f, strings.TrimSpace(line[2:]))), `"$$ZIP"`))
	}
	if *update {
		if err := os.WriteFile(script, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	compareLines(t, got.String(), string(want))
}

// runLine runs one command and tells what it did, each line marked: < asked of
// the server, | stdout, ! stderr.
func runLine(t *testing.T, f *fakeServer, line string) string {
	t.Helper()
	f.asked = nil
	var out, errOut strings.Builder
	err := run(t.Context(), splitLine(line), strings.NewReader(""), &out, &errOut)
	reportError(&errOut, err)
	var b strings.Builder
	for _, a := range f.asked {
		b.WriteString("< " + a + "\n")
	}
	mark := func(sign, text string) {
		for l := range strings.Lines(text) {
			b.WriteString(strings.TrimRight(sign+" "+strings.TrimSuffix(l, "\n"), " ") + "\n")
		}
	}
	mark("|", out.String())
	mark("!", errOut.String())
	if code := exitCode(err); code != 0 {
		fmt.Fprintf(&b, "= exit %d\n", code)
	}
	return b.String()
}

// splitLine splits at spaces, but not inside single quotes.
func splitLine(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	command := ""
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if strings.HasPrefix(b, "$ ") {
			command = b
		}
		if a != b {
			t.Fatalf("line %d, after %s\n got %s\nwant %s", i+1, command, a, b)
		}
	}
}

func TestVisible(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"plain ünïcode 漢字\n\ttab", "plain ünïcode 漢字\n\ttab"},
		{"\x1b[31mred\x1b]0;title\x07", `\u001b[31mred\u001b]0;title\u0007`},
		{"over\rwrite\b\x7f", `over\u000dwrite\u0008\u007f`},
		{"\u009b2J", `\u009b2J`},
		{"raw \x9b2J \xff", `raw \x9b2J \xff`},
		{"a\u202eb\u2066c", `a\u202eb\u2066c`},
		{"\x00", `\u0000`},
		{"", ""},
	} {
		if got := visible(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	f.Add("\x1b[2J\u009b\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := visible(s)
		if !utf8.ValidString(got) {
			t.Fatalf("visible(%q) is no UTF-8", s)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("visible(%q) = %q", s, got)
			}
		}
	})
}

func TestVisibleWriterCountsWhatItGot(t *testing.T) {
	var b strings.Builder
	if n, err := (visibleWriter{&b}).Write([]byte("a\x1b")); n != 2 || err != nil || b.String() != `a\u001b` {
		t.Errorf("got %d, %v, %q", n, err, b.String())
	}
}

func TestSortKeys(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{"b":1,"a":{"d":[{"f":1.50,"e":"<&>"}],"c":123456789012345678901234567890}}`, `{"a":{"c":123456789012345678901234567890,"d":[{"e":"<&>","f":1.50}]},"b":1}`},
		{`[2,1]`, `[2,1]`},
		{``, ``},
		{`not JSON`, `not JSON`},
	} {
		if got := string(sortKeys(json.RawMessage(tt.in))); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

type brokenWriter struct{ n int }

func (w *brokenWriter) Write([]byte) (int, error) { w.n++; return 0, errors.New("full") }

func TestPrinterKeepsTheFirstError(t *testing.T) {
	w := &brokenWriter{}
	p := newPrinter(w)
	p.printf("a")
	p.json(1)
	if p.err == nil || w.n != 1 {
		t.Errorf("got %v after %d writes", p.err, w.n)
	}
}

func TestOnlyTerminalsGetEscapes(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(r.Close(), w.Close()) })
	if visibleOn(w) != w {
		t.Error("a pipe is taken for a terminal")
	}
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	if _, ok := visibleOn(tty).(visibleWriter); !ok {
		t.Error("a terminal is not noticed")
	}
}
