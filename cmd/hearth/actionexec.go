package main

import (
	"path/filepath"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// execFlags say how to run the code.
type execFlags struct {
	kind, main, docker string
	native             bool
}

// exec reads the code from the file named in files, if there is one, and says
// how to run it.
func (f *execFlags) exec(files []string) (*client.Exec, error) {
	e := &client.Exec{Main: f.main}
	var ext string
	var native bool
	if len(files) > 0 {
		ext = filepath.Ext(files[0])
		b, err := readBounded(files[0], client.MaxCode)
		if err != nil {
			return nil, err
		}
		native = client.IsELF(b)
		code, ok := client.CodeText(files[0], b)
		if !ok {
			return nil, refuse(exitUsage, "The file '%s' is neither text in UTF-8 nor a zip archive nor an executable", files[0])
		}
		e.Code = &code
	}
	family := client.KindFamily(ext)
	switch {
	case f.kind != "":
		e.Kind = f.kind
	case f.native:
		e.Kind, e.Image = whisk.Blackbox, whisk.SkeletonImage
	case f.docker != "":
		e.Kind, e.Image = whisk.Blackbox, f.docker
	case family != "":
		e.Kind = family + ":default"
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
