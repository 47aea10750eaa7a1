package main

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// saveCode writes an action's code to a new file: name, or if that is empty
// one after the action's name and kind.
func (s *session) saveCode(a *client.Action, name string) error {
	e := a.Exec
	if e == nil {
		return refuse(exitUsage, "Cannot save an action without code")
	}
	binary := e.Binary != nil && *e.Binary
	switch {
	case strings.EqualFold(e.Kind, "sequence"):
		return refuse(exitUsage, "Cannot save action sequences")
	case strings.EqualFold(e.Kind, whisk.Blackbox) && e.Code == nil && !binary:
		return refuse(exitUsage, "Cannot save Docker images")
	}
	var code []byte
	if e.Code != nil {
		code = []byte(*e.Code)
	}
	if binary {
		b, err := base64.StdEncoding.DecodeString(string(code))
		if err != nil {
			return refuse(exitResponse, "The code of action '%s' is not base64: %w", a.Name, err)
		}
		code = b
	}
	mode := fs.FileMode(0o666)
	if client.IsELF(code) {
		mode = 0o777
	}
	if name == "" {
		if !whisk.ValidName(a.Name) { // it must not lead out of this folder
			return refuse(exitUsage, "The action's name makes no file name: say --save-as")
		}
		name = a.Name
		if !client.IsELF(code) {
			name += client.CodeExtension(e.Kind, binary)
		}
	}
	if err := writeNew(name, code, mode); err != nil {
		return err
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	s.out.printf("ok: saved action code to %s\n", path)
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(name string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return refuse(exitUsage, "The file '%s' already exists", name)
	}
	if err != nil {
		return refuse(exitUsage, "Cannot create file '%s': %w", name, err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return refuse(exitUsage, "Cannot create file '%s': %w", name, errors.Join(err, os.Remove(name)))
	}
	return nil
}
