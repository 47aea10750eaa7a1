package main

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"hearth/client"
	"hearth/whisk"
)

// maxCode bounds the file of an action: a little more than the server takes,
// so that it is the server that says its limit.
const maxCode = 64 << 20

// execFlags say how to run the code.
type execFlags struct {
	kind, main, docker string
	native             bool
}

// extension tells what a file name's extension says about an action.
type extension struct {
	family string
	binary bool // the code travels as base64
}

var extensions = map[string]extension{
	".js":    {"nodejs", false},
	".py":    {"python", false},
	".swift": {"swift", false},
	".php":   {"php", false},
	".rb":    {"ruby", false},
	".rs":    {"rust", false},
	".go":    {"go", false},
	".jar":   {"java", true},
	".balx":  {"ballerina", true},
	".zip":   {"", true},
}

// exec reads the code from the file named in files, if there is one, and says
// how to run it.
func (f *execFlags) exec(files []string) (*client.Exec, error) {
	e := &client.Exec{Main: f.main}
	var ext string
	var native bool
	if len(files) > 0 {
		ext = filepath.Ext(files[0])
		b, err := readBounded(files[0], maxCode)
		if err != nil {
			return nil, err
		}
		native = isELF(b)
		code, err := codeText(files[0], b)
		if err != nil {
			return nil, err
		}
		e.Code = &code
	}
	known := extensions[ext]
	switch {
	case f.kind != "":
		e.Kind = f.kind
	case f.native:
		e.Kind, e.Image = whisk.Blackbox, whisk.SkeletonImage
	case f.docker != "":
		e.Kind, e.Image = whisk.Blackbox, f.docker
	case known.family != "":
		e.Kind = known.family + ":default"
	case ext == ".zip":
		return nil, refuse(exitUsage, "creating an action from a .zip artifact requires specifying the action kind explicitly")
	case native:
		return nil, refuse(exitUsage, "'%s' is not a supported action runtime: for an executable say --native, or its --kind", ext)
	default:
		return nil, refuse(exitUsage, "'%s' is not a supported action runtime", ext)
	}
	if e.Kind == "java" && e.Main == "" {
		return nil, refuse(exitUsage, "Java actions require --main to specify the fully-qualified name of the main class")
	}
	return e, nil
}

// codeText returns the code as it is sent: archives and executables as base64,
// all else as text.
func codeText(name string, b []byte) (string, error) {
	switch {
	case extensions[filepath.Ext(name)].binary, isELF(b), isZip(b):
		return base64.StdEncoding.EncodeToString(b), nil
	case !utf8.Valid(b):
		return "", refuse(exitUsage, "The file '%s' is neither text in UTF-8 nor a zip archive nor an executable", name)
	}
	return string(b), nil
}

func isELF(b []byte) bool { return bytes.HasPrefix(b, []byte("\x7fELF")) }
func isZip(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) }

// components turns a list "a,pkg/b,/ns/c" into full names. The server resolves
// the namespace "_".
func components(list string) []string {
	var out []string
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
		switch {
		case strings.HasPrefix(s, "/"):
		case strings.Count(s, "/") == 2:
			s = "/" + s
		default:
			s = "/_/" + s
		}
		out = append(out, s)
	}
	return out
}

// fileExtension returns the extension of a file to which an action's code is
// saved.
func fileExtension(kind string, binary bool) string {
	family, _, _ := strings.Cut(strings.ToLower(kind), ":")
	for _, ext := range slices.Sorted(func(yield func(string) bool) {
		for ext := range extensions {
			if !yield(ext) {
				return
			}
		}
	}) {
		if e := extensions[ext]; e.family == family && e.binary == binary {
			return ext
		}
	}
	if binary {
		return ".zip"
	}
	return ""
}
