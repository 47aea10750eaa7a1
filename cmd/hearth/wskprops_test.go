package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseProps(t *testing.T) {
	for _, tt := range []struct {
		name, text, key, want string
		there                 bool
	}{
		{"plain", "APIHOST=h\nAUTH=a:b\n", "AUTH", "a:b", true},
		{"no newline at the end", "AUTH=a:b", "AUTH", "a:b", true},
		{"windows", "AUTH=a:b\r\nCERT=c\r\n", "AUTH", "a:b", true},
		{"spaces", "  AUTH = a:b  ", "AUTH", "a:b", true},
		{"last wins", "AUTH=a\nAUTH=b", "AUTH", "b", true},
		{"comment behind", "AUTH=a # mine", "AUTH", "a", true},
		{"comment", "#AUTH=a", "AUTH", "", false},
		{"two signs", "AUTH=a=b", "AUTH", "", false},
		{"second sign in the comment", "AUTH=a#=b", "AUTH", "a", true},
		{"no sign", "AUTH", "AUTH", "", false},
		{"empty value", "AUTH=", "AUTH", "", true},
		{"case counts", "auth=a", "AUTH", "", false},
		{"empty", "", "AUTH", "", false},
	} {
		if got, there := parseProps(tt.text).get(tt.key); got != tt.want || there != tt.there {
			t.Errorf("%s: got %q, %v, want %q, %v", tt.name, got, there, tt.want, tt.there)
		}
	}
}

func TestSetAndUnsetProps(t *testing.T) {
	p := parseProps("# mine\nAUTH=old\nodd line\nAUTH=older\nCERT=c\n")
	if err := p.set("AUTH", "new"); err != nil {
		t.Fatal(err)
	}
	if err := p.set("KEY", "k"); err != nil {
		t.Fatal(err)
	}
	p.unset("CERT")
	p.unset("NOT")
	if got, want := p.String(), "# mine\nAUTH=new\nodd line\nKEY=k\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"a=b", "a#b", "a\nAUTH=x", " a", "a\r"} {
		if err := p.set("AUTH", bad); err == nil {
			t.Errorf("a value %q was taken", bad)
		}
	}
}

func TestPropsKeepWhatIsSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := parseProps(rapid.String().Draw(t, "file"))
		other, had := p.get("CERT")
		v := rapid.String().Draw(t, "value")
		if p.set("AUTH", v) != nil {
			return
		}
		p = parseProps(p.String())
		if got, ok := p.get("AUTH"); !ok || got != v {
			t.Errorf("set %q, got %q, %v", v, got, ok)
		}
		if got, has := p.get("CERT"); got != other || has != had {
			t.Errorf("another key changed from %q to %q", other, got)
		}
	})
}

func FuzzParseProps(f *testing.F) {
	for _, s := range []string{"APIHOST=h\nAUTH=a:b", "# c\n=\n==\n", "A=B#C\r\n\x00", "\ufeffAUTH=a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := parseProps(text)
		again := parseProps(p.String())
		for _, l := range p.lines {
			k, v, ok := propertyOf(l)
			if !ok {
				continue
			}
			if strings.ContainsAny(k+v, "=#") {
				t.Errorf("line %q gives %q and %q", l, k, v)
			}
			first, _ := p.get(k)
			second, there := again.get(k)
			if !there || first != second {
				t.Errorf("key %q: %q, then %q", k, first, second)
			}
		}
	})
}

func TestWriteProps(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "props"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("AUTH=old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := writeProps(link, parseProps("AUTH=new")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(file); string(b) != "AUTH=new\n" {
		t.Errorf("the file behind the link holds %q", b)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file can be read by others: %v", st.Mode())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".wskprops-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := writeProps("", wskProps{}); err == nil {
		t.Error("an empty path was written")
	}
	if err := writeProps(filepath.Join(dir, "no", "props"), wskProps{}); err == nil {
		t.Error("a missing folder was no error")
	}
	if err := writeProps(os.DevNull, parseProps("A=b")); err != nil {
		t.Error(err)
	}
	if st, err := os.Stat(os.DevNull); err != nil || st.Mode().IsRegular() {
		t.Fatalf("the null device became a file")
	}
}

func TestReadProps(t *testing.T) {
	dir := t.TempDir()
	if p, err := readProps(filepath.Join(dir, "none")); err != nil || len(p.lines) != 0 {
		t.Errorf("a missing file: %v, %v", p, err)
	}
	if _, err := readProps(dir); err == nil {
		t.Error("a folder was read")
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxProps+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readProps(big); err == nil {
		t.Error("a file over the bound was read")
	}
}

func TestAccount(t *testing.T) {
	file := filepath.Join(t.TempDir(), "props")
	if err := os.WriteFile(file, []byte("APIHOST=file//\nAUTH=file:1\nAPIVERSION=v3\nCERT=c\nKEY=k\nNAMESPACE=ignored\nAPIGW_ACCESS_TOKEN=t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		env   map[string]string
		flags clientFlags
		want  account
	}{
		{"file", nil, clientFlags{}, account{"file", "file:1", "v3", "c", "k", "t"}},
		{"environment over file", map[string]string{"WHISK_APIHOST": "env", "WHISK_AUTH": "env:1", "WHISK_APIVERSION": "v2"}, clientFlags{},
			account{"env", "env:1", "v2", "c", "k", "t"}},
		{"flags over all", map[string]string{"WHISK_APIHOST": "env", "WHISK_AUTH": "env:1"},
			clientFlags{host: "http://flag/", auth: "flag:1", version: "v9", cert: "c2", key: "k2"}, account{"http://flag", "flag:1", "v9", "c2", "k2", "t"}},
		{"an empty file name is no file", map[string]string{"WSK_CONFIG_FILE": ""}, clientFlags{}, account{version: "v1", token: dummyToken}},
		{"a missing file", map[string]string{"WSK_CONFIG_FILE": file + "x"}, clientFlags{auth: "a"}, account{auth: "a", version: "v1", token: dummyToken}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, k := range []string{"WHISK_APIHOST", "WHISK_AUTH", "WHISK_APIVERSION"} {
				t.Setenv(k, "")
			}
			t.Setenv("WSK_CONFIG_FILE", file)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			if got, err := tt.flags.account(); err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestPropsPathIsInTheHome(t *testing.T) {
	t.Setenv("WSK_CONFIG_FILE", "") // restored at the end
	if err := os.Unsetenv("WSK_CONFIG_FILE"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", "/some/home")
	if got, err := propsPath(); err != nil || got != "/some/home/.wskprops" {
		t.Errorf("got %q, %v", got, err)
	}
}
