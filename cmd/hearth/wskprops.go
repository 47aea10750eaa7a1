package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// maxProps bounds the properties file.
const maxProps = 1 << 20

// wskProps is the text of a properties file: lines KEY=VALUE. A # starts a
// comment; lines without exactly one = say nothing.
type wskProps struct{ lines []string }

func parseProps(text string) wskProps {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return wskProps{}
	}
	return wskProps{strings.Split(text, "\n")}
}

// property reads one line.
func propertyOf(line string) (key, value string, ok bool) {
	line, _, _ = strings.Cut(line, "#")
	key, value, ok = strings.Cut(line, "=")
	if !ok || strings.Contains(value, "=") {
		return "", "", false
	}
	return strings.TrimSpace(key), strings.TrimSpace(value), true
}

// get returns the last value of key.
func (p wskProps) get(key string) (string, bool) {
	for i := len(p.lines) - 1; i >= 0; i-- {
		if k, v, ok := propertyOf(p.lines[i]); ok && k == key {
			return v, true
		}
	}
	return "", false
}

// set gives key a value, in the place of its first line. A value that no line
// can hold is an error.
func (p *wskProps) set(key, value string) error {
	line := key + "=" + value
	if k, v, ok := propertyOf(line); !ok || k != key || v != value || strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("the value for %s cannot be kept in a properties file", key)
	}
	at := p.find(key)
	p.unset(key)
	if at < 0 {
		at = len(p.lines)
	}
	p.lines = append(p.lines[:at:at], append([]string{line}, p.lines[at:]...)...)
	return nil
}

// unset removes every line of key.
func (p *wskProps) unset(key string) {
	var kept []string
	for _, l := range p.lines {
		if k, _, ok := propertyOf(l); !ok || k != key {
			kept = append(kept, l)
		}
	}
	p.lines = kept
}

func (p wskProps) find(key string) int {
	for i, l := range p.lines {
		if k, _, ok := propertyOf(l); ok && k == key {
			return i
		}
	}
	return -1
}

func (p wskProps) String() string {
	if len(p.lines) == 0 {
		return ""
	}
	return strings.Join(p.lines, "\n") + "\n"
}

// propsPath returns the file's path: WSK_CONFIG_FILE, even if it is empty,
// else .wskprops in the home directory.
func propsPath() (string, error) {
	if path, ok := os.LookupEnv("WSK_CONFIG_FILE"); ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		u, uerr := user.Current()
		if uerr != nil || u.HomeDir == "" {
			return "", sorry("Unable to locate properties file '~/.wskprops': %w", err)
		}
		home = u.HomeDir
	}
	return filepath.Join(home, ".wskprops"), nil
}

// readProps reads a properties file. One that cannot be opened is an empty one.
func readProps(path string) (wskProps, error) {
	f, err := os.Open(path)
	if err != nil {
		return wskProps{}, nil
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxProps+1))
	if err != nil {
		return wskProps{}, err
	}
	if len(b) > maxProps {
		return wskProps{}, fmt.Errorf("'%s' is larger than %d bytes", path, maxProps)
	}
	return parseProps(string(bytes.TrimPrefix(b, []byte("\ufeff")))), nil
}

// writeProps replaces a properties file at once. It holds a key, so nobody
// else may read it.
func writeProps(path string, p wskProps) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	switch st, err := os.Stat(path); {
	case path == "":
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case err == nil && !st.Mode().IsRegular(): // a device or pipe: not to be replaced
		return os.WriteFile(path, []byte(p.String()), 0o600)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wskprops-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(p.String())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
