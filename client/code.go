package client

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxCode bounds the file of an action: a little more than the server takes, so
// that it is the server that says its limit.
const MaxCode = 64 << 20

// extension tells what a file name's extension says about an action.
type extension struct {
	name   string
	family string // of kinds; "" is no particular one
	binary bool   // the code travels as base64
}

var extensions = []extension{
	{".balx", "ballerina", true},
	{".go", "go", false},
	{".jar", "java", true},
	{".js", "nodejs", false},
	{".php", "php", false},
	{".py", "python", false},
	{".rb", "ruby", false},
	{".rs", "rust", false},
	{".swift", "swift", false},
	{".zip", "", true},
}

func extensionOf(name string) extension {
	ext := filepath.Ext(name)
	for _, e := range extensions {
		if e.name == ext {
			return e
		}
	}
	return extension{name: ext}
}

// KindFamily returns the family of the kind that a file of this name is for,
// such as "nodejs", "" if the name does not say.
func KindFamily(name string) string { return extensionOf(name).family }

// CodeText returns the code of a file as it is sent: archives and executables
// as base64, texts as they are. It is false for what is none of these.
func CodeText(name string, b []byte) (string, bool) {
	switch {
	case extensionOf(name).binary, IsELF(b), bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return base64.StdEncoding.EncodeToString(b), true
	case !utf8.Valid(b):
		return "", false
	}
	return string(b), true
}

// IsELF reports whether b begins as an executable does.
func IsELF(b []byte) bool { return bytes.HasPrefix(b, []byte("\x7fELF")) }

// CodeExtension returns the extension of a file to which code of a kind is
// saved, "" if it needs none.
func CodeExtension(kind string, binary bool) string {
	family, _, _ := strings.Cut(strings.ToLower(kind), ":")
	i := slices.IndexFunc(extensions, func(e extension) bool { return e.family == family && e.binary == binary })
	switch {
	case i >= 0:
		return extensions[i].name
	case binary:
		return ".zip"
	}
	return ""
}
