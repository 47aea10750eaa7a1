package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"hearth/client/deploy"
	"hearth/whisk"
)

// visibleOn returns w itself, or, if w is a terminal, a writer that shows
// control characters instead of sending them: what actions print and servers
// answer must not move the cursor, retitle the window or feed the keyboard.
func visibleOn(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return visibleWriter{f}
	}
	return w
}

// visibleWriter escapes every control character but newline and tab. Each
// Write must hold whole characters.
type visibleWriter struct{ w io.Writer }

func (v visibleWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(v.w, visible(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// visible returns s with control characters, those that turn the direction of
// writing, and bytes that are no UTF-8 as \u001b or \x9b.
func visible(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

func hidden(r rune) bool {
	if r == '\n' || r == '\t' {
		return false
	}
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// printer writes a command's results and keeps the first error, so that the
// many lines of an output need one check.
type printer struct {
	w   io.Writer
	err error
}

func newPrinter(w io.Writer) *printer { return &printer{w: visibleOn(w)} }

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// json prints v indented by four, without escaping HTML's characters.
func (p *printer) json(v any) {
	b, err := indentJSON(v)
	if err != nil {
		if p.err == nil {
			p.err = err
		}
		return
	}
	p.printf("%s", b)
}

// yaml prints v, which must have a JSON form, as YAML.
func (p *printer) yaml(v any) error {
	raw, err := marshalPlain(v)
	if err != nil {
		return err
	}
	b, err := deploy.JSONToYAML(raw)
	if err != nil {
		return sorry("Unable to convert API into YAML: %w", err)
	}
	p.printf("%s\n", b)
	return nil
}

func indentJSON(v any) ([]byte, error) {
	raw, err := marshalPlain(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, append(raw, '\n'), "", "    "); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sortKeys returns raw JSON with the keys of its objects in order, as wsk
// prints them. Numbers keep their text. What is no JSON stays as it is.
func sortKeys(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	sorted, err := marshalPlain(v)
	if err != nil {
		return raw
	}
	return sorted
}

func sortValues(ps []whisk.Parameter) []whisk.Parameter {
	if ps == nil {
		return nil
	}
	out := make([]whisk.Parameter, len(ps))
	for i, p := range ps {
		p.Value = sortKeys(p.Value)
		out[i] = p
	}
	return out
}

func joinWords(words []string) string { return strings.Join(words, ", ") }

// marshalPlain is json.Marshal without escaping HTML's characters.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
