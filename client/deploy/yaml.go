package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds on a YAML document. Nodes are counted with every alias written out, so
// that a few lines of anchors cannot become gigabytes.
const (
	MaxYAML  = 1 << 20
	maxNodes = 100_000
	maxDepth = 64
)

// parse reads the one document in b and checks its bounds. An empty document
// gives nil.
func parse(b []byte) (*yaml.Node, error) {
	if len(b) > MaxYAML {
		return nil, fmt.Errorf("the document has more than %d bytes", MaxYAML)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, plainer(err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	left := maxNodes
	if err := bound(&doc, maxDepth, &left); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// bound walks a document as if its aliases were written out.
func bound(n *yaml.Node, depth int, left *int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("line %d: the document has more than %d values", n.Line, maxNodes)
	}
	if depth == 0 {
		return fmt.Errorf("line %d: the document is nested deeper than %d levels", n.Line, maxDepth)
	}
	if n.Kind == yaml.AliasNode {
		return bound(n.Alias, depth-1, left)
	}
	for _, c := range n.Content {
		if err := bound(c, depth-1, left); err != nil {
			return err
		}
	}
	return nil
}

// YAMLToJSON returns the JSON text of a YAML document.
func YAMLToJSON(b []byte) (json.RawMessage, error) {
	n, err := parse(b)
	if err != nil {
		return nil, err
	}
	return toJSON(n)
}

// toJSON returns the JSON text of a node of a document that parse has checked.
func toJSON(n *yaml.Node) (json.RawMessage, error) {
	v, err := value(n)
	if err != nil {
		return nil, err
	}
	return marshal(v)
}

// value returns what a node stands for, in encoding/json's types.
func value(n *yaml.Node) (any, error) {
	switch {
	case n == nil:
		return nil, nil
	case n.Kind == yaml.AliasNode:
		return value(n.Alias)
	case n.Kind == yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case n.Kind == yaml.MappingNode:
		return mapping(n)
	}
	return scalar(n)
}

// mapping returns an object. Keys of << lie under the mapping's own.
func mapping(n *yaml.Node) (map[string]any, error) {
	out, merged := map[string]any{}, map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key must be a word", key.Line)
		}
		v, err := value(val)
		if err != nil {
			return nil, err
		}
		if key.ShortTag() == "!!merge" {
			if err := merge(merged, v, key.Line); err != nil {
				return nil, err
			}
			continue
		}
		if _, twice := out[key.Value]; twice {
			return nil, fmt.Errorf("line %d: the key %q stands twice", key.Line, key.Value)
		}
		out[key.Value] = v
	}
	maps.Copy(merged, out)
	return merged, nil
}

// merge adds what << names: a mapping, or several of which earlier ones win.
func merge(to map[string]any, v any, line int) error {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		m, ok := one.(map[string]any)
		if !ok {
			return fmt.Errorf("line %d: << takes mappings only", line)
		}
		for k, v := range m {
			if _, there := to[k]; !there {
				to[k] = v
			}
		}
	}
	return nil
}

func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int":
		if isNumber(n.Value) {
			return json.Number(n.Value), nil
		}
		var i int64 // hexadecimal, with underscores and the like
		err := n.Decode(&i)
		return i, err
	case "!!float":
		if isNumber(n.Value) {
			return json.Number(n.Value), nil
		}
		var f float64
		if err := n.Decode(&f); err != nil {
			return nil, err
		}
		if _, err := json.Marshal(f); err != nil {
			return nil, fmt.Errorf("line %d: JSON has no %s", n.Line, n.Value)
		}
		return f, nil
	}
	if n.Style == 0 && n.ShortTag() == "!!str" {
		if b, ok := oldBools[n.Value]; ok {
			return b, nil
		}
	}
	return n.Value, nil // texts, times, and tags of one's own
}

// oldBools are booleans in YAML 1.1, in which manifests are written.
var oldBools = map[string]bool{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false, "off": false, "Off": false, "OFF": false,
}

// isNumber reports whether s is a number as JSON writes it.
func isNumber(s string) bool {
	return json.Valid([]byte(s)) && (s[0] == '-' || s[0] >= '0' && s[0] <= '9')
}

// marshal is json.Marshal without escaping HTML's characters.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// JSONToYAML writes a JSON value as YAML, the keys of objects in order.
func JSONToYAML(raw json.RawMessage) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return encode(node(v))
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(v), e.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// node returns the YAML of a value in encoding/json's types.
func node(v any) *yaml.Node {
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, text(k), node(v[k]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, one := range v {
			n.Content = append(n.Content, node(one))
		}
		return n
	case string:
		return text(v)
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case json.Number:
		tag := "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
}

// text is a string, quoted where it would read as something else.
func text(s string) *yaml.Node {
	n := new(yaml.Node)
	n.SetString(s)
	odd := n.Style == yaml.LiteralStyle && strings.ContainsAny(s, "\t\r\u0085\u2028\u2029")
	if _, isBool := oldBools[s]; odd || isBool || s == "<<" || s == "=" {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}
