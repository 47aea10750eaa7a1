package deploy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Input is a parameter: a value, or a mapping of the keys in inputKeys that
// says more about it.
type Input struct {
	Type     string // of typeZero, or "" for the value's own
	Required bool
	v        any // nil: there is none
}

var inputKeys = []string{"type", "description", "value", "required", "default", "status", "schema"}

// typeZero has the types that an input may name, and what each one's inputs are
// without a value.
var typeZero = map[string]any{
	"string": "", "integer": json.Number("0"), "float": json.Number("0.0"), "boolean": false, "json": map[string]any{},
}

// UnmarshalYAML reads both forms. A mapping with any other key is a value.
func (i *Input) UnmarshalYAML(n *yaml.Node) error {
	v, err := value(n)
	if err != nil {
		return err
	}
	m, ok := v.(map[string]any)
	if !ok || !isLong(m) {
		*i = Input{v: v}
		if name, ok := v.(string); ok {
			if _, ok := typeZero[name]; ok { // the name of a type, and no value
				*i = Input{Type: name}
			}
		}
		return nil
	}
	*i = Input{v: m["value"]}
	if i.v == nil {
		i.v = m["default"]
	}
	i.Required, _ = m["required"].(bool)
	if t, there := m["type"]; there {
		i.Type, _ = t.(string)
		if _, ok := typeZero[i.Type]; !ok {
			return fmt.Errorf("line %d: an input has the invalid type %v; types are %s", n.Line, t, strings.Join(sortedKeys(typeZero), ", "))
		}
	}
	return nil
}

// MarshalYAML writes the value alone, unless that would read as something else.
func (i *Input) MarshalYAML() (any, error) {
	m, long := i.v.(map[string]any)
	name, _ := i.v.(string)
	_, isType := typeZero[name]
	if isType || long && isLong(m) {
		return node(map[string]any{"value": i.v}), nil
	}
	return node(i.v), nil
}

// isLong reports whether a mapping says more of an input than its value.
func isLong(m map[string]any) bool {
	for k := range m {
		if !slices.Contains(inputKeys, k) {
			return false
		}
	}
	return true
}

// resolve returns the input's value with its variables replaced.
func (i *Input) resolve(s scope) any {
	v := i.v
	switch x := v.(type) {
	case nil:
		if i.Type == "" {
			return ""
		}
		return typeZero[i.Type]
	case string:
		text := s.expand(x)
		if i.Type == "" || i.Type == "string" {
			return text
		}
		return typed(i.Type, text)
	case map[string]any:
		return s.expandAll(x)
	}
	return v
}

// typed reads a text as the type that it was declared to be, if it can be.
func typed(kind, text string) any {
	if text == "" {
		return typeZero[kind]
	}
	if !json.Valid([]byte(text)) {
		return text
	}
	v := decode(json.RawMessage(text))
	_, isNumber := v.(json.Number)
	_, isBool := v.(bool)
	if (kind == "integer" || kind == "float") != isNumber || (kind == "boolean") != isBool {
		return text
	}
	return v
}

// missing reports whether v, to which the input was resolved, is no more than
// its type's way to say nothing.
func (i *Input) missing(v any) bool { return i.v == nil || v == "" }
