package deploy

import (
	"bytes"
	"encoding/json"
	"strings"
)

// scope is where $NAME and ${NAME} are looked up: what the user gave, then the
// environment, then the inputs of the package and of the project.
type scope struct {
	given  map[string]any
	getenv func(string) string
	inputs map[string]any
	left   *int // bytes that variables may still come to; below 0 there were more
}

// maxExpanded bounds what all variables of a project come to: inputs made of
// inputs could be of any size.
const maxExpanded = 32 << 20

// within returns a scope with the inputs in place of s's.
func (s scope) within(inputs map[string]any) scope {
	s.inputs = inputs
	return s
}

// lookup returns a variable's text, "" if it is nowhere.
func (s scope) lookup(name string) string {
	if v, ok := s.given[name]; ok {
		return plain(v)
	}
	if v := s.getenv(name); v != "" {
		return v
	}
	if v, ok := s.inputs[name]; ok {
		return plain(v)
	}
	return ""
}

// plain returns a text as it is and any other value as JSON.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// expand replaces variables in a text that begins with $ or has ${ in it: other
// texts may have a $ for reasons of their own. $${NAME} stands for ${NAME}.
func (s scope) expand(text string) string {
	if !strings.HasPrefix(text, "$") && !strings.Contains(text, "${") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		escaped := strings.HasPrefix(rest, "${")
		if escaped {
			rest = rest[1:]
		}
		name, after := variable(rest)
		switch {
		case name == "":
			b.WriteByte('$')
			text = rest
			continue
		case escaped:
			b.WriteString("${" + name + "}")
		default:
			v := s.lookup(name)
			if *s.left -= len(v); *s.left >= 0 {
				b.WriteString(v)
			}
		}
		text = after
	}
}

// variable splits NAME or {NAME} off a text.
func variable(text string) (name, after string) {
	inner, braced := strings.CutPrefix(text, "{")
	n := 0
	for n < len(inner) && isNameByte(inner[n], n > 0) {
		n++
	}
	name, after = inner[:n], inner[n:]
	if braced && n > 0 {
		if after, braced = strings.CutPrefix(after, "}"); !braced {
			return "", text
		}
	}
	return name, after
}

func isNameByte(c byte, digits bool) bool {
	return c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || digits && c >= '0' && c <= '9'
}

// expandAll replaces variables in the texts of an object and of those in it.
func (s scope) expandAll(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		switch x := v.(type) {
		case string:
			out[k] = s.expand(x)
		case map[string]any:
			out[k] = s.expandAll(x)
		default:
			out[k] = v
		}
	}
	return out
}

// decode returns the value of a JSON text that has been checked.
func decode(raw json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}
