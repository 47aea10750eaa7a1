package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"strings"

	"hearth/whisk"
)

// execBody is the "exec" of an action's PUT body, read but not yet measured.
type execBody struct {
	exec    whisk.Exec // Code and Size are set by seal
	code    []byte     // as sent; may share memory with the body
	runtime whisk.Runtime
}

// parseExec reads the raw value of "exec". Errors are details for [malformed]. A
// namespace "_" stands for own.
func parseExec(raw []byte, l *whisk.SystemLimits, runtimes whisk.Runtimes, own whisk.Namespace) (*execBody, error) {
	if !whisk.IsObject(raw) {
		return nil, detail("JSON object expected.")
	}
	fields := map[string][]byte{}
	whisk.Fields(raw, func(key string, _, value []byte) bool {
		switch key {
		case "kind", "code", "jar", "main", "image", "components":
			fields[key] = value
			if isNull(value) {
				delete(fields, key)
			}
		}
		return true
	})
	kind, isText := textOf(fields["kind"])
	if !isText {
		return nil, detail("'kind' must be a string defined in 'exec'")
	}
	e := &execBody{}
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case whisk.Sequence:
		e.exec.Kind = whisk.Sequence
		return e, e.setComponents(fields["components"], l.SequenceLength, own)
	case whisk.Blackbox:
		e.exec.Kind = whisk.Blackbox
		if err := e.setImage(fields["image"]); err != nil {
			return nil, err
		}
	default:
		rt, err := runtimes.Resolve(kind)
		if err != nil {
			return nil, err
		}
		e.runtime, e.exec.Kind = rt, rt.Kind
	}
	if err := e.setCode(fields["code"], fields["jar"]); err != nil {
		return nil, err
	}
	return e, e.setMain(fields["main"])
}

func (e *execBody) setImage(raw []byte) error {
	image, isText := textOf(raw)
	if !isText {
		return detail("'image' must be a string defined in 'exec' for 'blackbox' actions")
	}
	if !validImage(image) {
		return detail("could not parse image name")
	}
	e.exec.Image = image
	return nil
}

// setComponents takes what a sequence is made of: of more than limit the first
// few, which are too many.
func (e *execBody) setComponents(raw []byte, limit int, own whisk.Namespace) error {
	if raw == nil {
		return detail("'components' must be defined for sequence kind")
	}
	if !whisk.IsArray(raw) {
		return detail("'components' must be an array")
	}
	var err error
	whisk.Elements(raw, func(v []byte) bool {
		var name whisk.ActionName
		if name, err = parseName(v, own); err != nil {
			return false
		}
		e.exec.Components = append(e.exec.Components, name)
		return len(e.exec.Components) <= limit
	})
	return err
}

// setCode takes the code; old clients call that of attached kinds "jar".
func (e *execBody) setCode(code, jar []byte) error {
	if code == nil && e.runtime.Attached {
		code = jar
	}
	blackbox := e.exec.Kind == whisk.Blackbox
	if code == nil && blackbox {
		return nil
	}
	text, isText := bytesOf(code)
	if !isText {
		if blackbox {
			return detail("if defined, 'code' must be a string in 'exec' for 'blackbox' actions")
		}
		return detail("'code' must be a string defined in 'exec' for '" + e.exec.Kind + "' actions")
	}
	if blackbox && len(bytes.TrimSpace(text)) == 0 {
		return nil // an image alone
	}
	e.code = text
	return nil
}

// maxMain bounds the name of an action's function, in bytes. It goes along with
// every call, in headers that are bounded.
const maxMain = 1 << 10

func (e *execBody) setMain(raw []byte) error {
	if raw == nil {
		if e.runtime.RequireMain {
			return detail("'main' must be a string defined in 'exec' for '" + e.exec.Kind + "' actions")
		}
		return nil
	}
	text, isText := textOf(raw)
	if !isText {
		return detail("if defined, 'main' must be a string in 'exec' for '" + e.exec.Kind + "' actions")
	}
	if len(text) > maxMain {
		return detail("'main' must not be longer than " + strconv.Itoa(maxMain) + " bytes")
	}
	e.exec.Main = text
	return nil
}

// size is what the code size limit counts.
func (e *execBody) size() int64 {
	n := len(e.code) + len(e.exec.Main) + len(e.exec.Image)
	for _, c := range e.exec.Components {
		n += len(c.Path())
	}
	return int64(n)
}

// seal computes what is derived from the code, once its size has been checked.
func (e *execBody) seal() {
	e.exec.Size = int64(len(e.code))
	e.exec.Binary = isBase64(e.code)
	if len(e.code) > 0 {
		e.exec.Code = sha256.Sum256(e.code)
	}
}

// isBase64 reports whether code, without the space around it, is non-empty
// base64 in its padded form: so OpenWhisk tells archives from source text.
func isBase64(code []byte) bool {
	for len(code) > 0 && code[0] <= ' ' {
		code = code[1:]
	}
	for len(code) > 0 && code[len(code)-1] <= ' ' {
		code = code[:len(code)-1]
	}
	if len(code) == 0 || len(code)%4 != 0 {
		return false
	}
	end := len(code)
	for pad := 0; pad < 2 && code[end-1] == '='; pad++ {
		end--
	}
	for _, c := range code[:end] {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// detail is an error whose text becomes a part of a malformed body's.
func detail(text string) error { return whisk.Errorf(whisk.BadRequest, "%s", text) }

func isNull(raw []byte) bool { return string(raw) == "null" }

// textOf returns the text of a raw JSON string, and whether raw is one.
func textOf(raw []byte) (string, bool) {
	b, isText := bytesOf(raw)
	return string(b), isText
}

// bytesOf is textOf without a copy where the text stands in raw as it is.
func bytesOf(raw []byte) ([]byte, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return nil, false
	}
	inside := raw[1 : len(raw)-1]
	if bytes.IndexByte(inside, '\\') < 0 { // bodies are UTF-8
		return inside, true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}
