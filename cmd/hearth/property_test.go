package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPropertySetGetUnset(t *testing.T) {
	file := filepath.Join(t.TempDir(), "props")
	t.Setenv("WSK_CONFIG_FILE", file)
	for _, k := range []string{"WHISK_APIHOST", "WHISK_AUTH", "WHISK_APIVERSION"} {
		t.Setenv(k, "")
	}
	for _, tt := range []struct{ args, out, file string }{
		{"property set --apihost http://127.0.0.1:1 -u a:b", "ok: whisk auth set. Run 'hearth property get --auth' to see the new value.\nok: whisk API host set to http://127.0.0.1:1\n", "AUTH=a:b\nAPIHOST=http://127.0.0.1:1\n"},
		{"property set --apiversion v2 --cert c --key k", "ok: client cert set. Run 'hearth property get --cert' to see the new value.\nok: client key set. Run 'hearth property get --key' to see the new value.\nok: whisk API version set to v2\n",
			"AUTH=a:b\nAPIHOST=http://127.0.0.1:1\nCERT=c\nKEY=k\nAPIVERSION=v2\n"},
		{"property get --auth --cert", "whisk auth\t\ta:b\nclient cert\t\tc\n", "AUTH=a:b\nAPIHOST=http://127.0.0.1:1\nCERT=c\nKEY=k\nAPIVERSION=v2\n"},
		{"property unset --cert --key --apiversion", "ok: client cert unset.\nok: client key unset.\nok: whisk API version unset; the default value of v1 will be used.\n", "AUTH=a:b\nAPIHOST=http://127.0.0.1:1\n"},
		{"property unset --auth --apihost", "ok: whisk auth unset.\nok: whisk API host unset.\n", ""},
		{"property get --apihost -o raw", "\n", ""},
	} {
		var out strings.Builder
		if err := run(t.Context(), strings.Fields(tt.args), nil, &out, &out); err != nil {
			t.Errorf("%s: %v", tt.args, err)
		}
		b, _ := os.ReadFile(file)
		if out.String() != tt.out || string(b) != tt.file {
			t.Errorf("%s:\n got %q and the file %q\nwant %q and %q", tt.args, out.String(), b, tt.out, tt.file)
		}
	}
}

func TestPropertySetRefusesWhatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "props")
	t.Setenv("WSK_CONFIG_FILE", file)
	var out strings.Builder
	if err := run(t.Context(), []string{"property", "set", "--auth", "a#b"}, nil, &out, &out); err == nil {
		t.Error("a key with a comment sign was taken")
	}
	if err := run(t.Context(), []string{"property", "set", "--apihost", "ftp://x", "--cert", "c"}, nil, &out, &out); err == nil {
		t.Error("a host that is none was taken")
	}
	if b, _ := os.ReadFile(file); string(b) != "CERT=c\n" {
		t.Errorf("the file holds %q", b)
	}
}
