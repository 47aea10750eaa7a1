package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"hearth/whisk"
)

// swagger is the Swagger 2.0 document of an API. What Hearth does not know in it
// stays as it is.
type swagger map[string]any

// verbs are the methods that an API may have, as Swagger writes them.
var verbs = []string{"delete", "get", "head", "options", "patch", "post", "put"}

// parseSwagger reads the document of a valid JSON object.
func parseSwagger(raw []byte) (swagger, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var s swagger
	err := d.Decode(&s)
	return s, err
}

func (s swagger) encode() (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// newSwagger returns the document of an API without paths.
func newSwagger(basePath, title string) swagger {
	if title == "" {
		title = basePath
	}
	return swagger{
		"swagger":  "2.0",
		"basePath": basePath,
		"info":     map[string]any{"title": title, "version": "1.0.0"},
		"paths":    map[string]any{},
		"x-ibm-configuration": map[string]any{
			"assembly": map[string]any{}, "cors": map[string]any{"enabled": true},
		},
	}
}

// object returns the object under a key, nil if there is none.
func object(in map[string]any, key string) map[string]any {
	m, _ := in[key].(map[string]any)
	return m
}

// made is object, but makes one.
func made(in map[string]any, key string) map[string]any {
	m := object(in, key)
	if m == nil {
		m = map[string]any{}
		in[key] = m
	}
	return m
}

func text(in map[string]any, key string) string {
	s, _ := in[key].(string)
	return s
}

func (s swagger) title() string { return text(object(s, "info"), "title") }

// configuration returns the gateway's part of the document.
func (s swagger) configuration() map[string]any {
	if c := object(s, "x-gateway-configuration"); c != nil {
		return c
	}
	return object(s, "x-ibm-configuration")
}

// endpoint is one operation of an API, as clients describe it.
type endpoint struct {
	path, verb string // the verb in small letters
	action     whisk.ActionName
	url        string // of the web action, without its extension
	extension  string
	secret     any // of the action's, nil without one
	parameters any // of the path, nil if none were given
}

// add puts an operation into the document, in place of one that is there.
func (s swagger) add(e endpoint) {
	id := s.operationID(e)
	operation := map[string]any{
		"operationId": id,
		"x-openwhisk": map[string]any{
			"url": e.url + e.extension, "namespace": string(e.action.Namespace), "package": e.action.Package, "action": e.action.Name,
		},
		"responses": map[string]any{"default": map[string]any{"description": "Default response"}},
	}
	if e.parameters != nil {
		operation["parameters"] = e.parameters
	}
	made(made(s, "paths"), e.path)[e.verb] = operation

	target := e.url + e.extension
	if e.extension == extensionNames[extHTTP] {
		target += wholePathSuffix
	}
	execute := []any{map[string]any{"invoke": map[string]any{"target-url": target, "verb": "keep"}}}
	if e.secret != nil {
		execute = append(execute, map[string]any{"set-variable": map[string]any{"actions": []any{
			map[string]any{"set": headerVariable + "X-Require-Whisk-Auth", "value": e.secret},
		}}})
	}
	s.setCase(id, map[string]any{"operations": []any{id}, "execute": execute})
}

const (
	wholePathSuffix = "$(request.path)"
	headerVariable  = "message.headers."
)

// remove takes a path, or one verb of it, out of the document. What it says is
// why it cannot be.
func (s swagger) remove(path, verb string) string {
	paths := object(s, "paths")
	item := object(paths, path)
	if verb == "" {
		if item == nil {
			return "path '" + path + "' does not exist in the API"
		}
		for _, v := range verbs {
			s.setCase(text(object(item, v), "operationId"), nil)
		}
		delete(paths, path)
		return ""
	}
	operation := object(item, verb)
	if operation == nil {
		return "path '" + path + "' with operation '" + verb + "' does not exist in the API"
	}
	s.setCase(text(operation, "operationId"), nil)
	if delete(item, verb); len(item) == 0 {
		delete(paths, path)
	}
	return ""
}

// setCase replaces what the gateway does for an operation, or adds it; nil takes
// it out.
func (s swagger) setCase(id string, with map[string]any) {
	config := s.configuration()
	if config == nil {
		if with == nil {
			return
		}
		config = made(s, "x-ibm-configuration")
	}
	sw := operationSwitch(made(config, "assembly"))
	cases, _ := sw["case"].([]any)
	at := slices.IndexFunc(cases, func(c any) bool { return slices.Contains(operationsOf(c), id) })
	switch {
	case at < 0 && with != nil:
		cases = append(cases, with)
	case at >= 0 && with != nil:
		cases[at] = with
	case at >= 0 && len(operationsOf(cases[at])) == 1:
		cases = slices.Delete(cases, at, at+1)
	}
	sw["case"] = cases
}

// operationSwitch returns the switch of an assembly, made if there is none.
func operationSwitch(assembly map[string]any) map[string]any {
	execute, _ := assembly["execute"].([]any)
	for _, step := range execute {
		if m, ok := step.(map[string]any); ok && object(m, "operation-switch") != nil {
			return object(m, "operation-switch")
		}
	}
	sw := map[string]any{}
	assembly["execute"] = append(execute, map[string]any{"operation-switch": sw})
	return sw
}

// operationsOf returns the operations that a case of a switch is for.
func operationsOf(c any) []string {
	m, _ := c.(map[string]any)
	list, _ := m["operations"].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if id, ok := v.(string); ok {
			out = append(out, id)
		}
	}
	return out
}

// operationID returns the id of an operation: the verb and the words of the
// path, and a number where other operations have that.
func (s swagger) operationID(e endpoint) string {
	name := e.verb + camelCase(e.path)
	taken := map[string]bool{}
	for path, item := range object(s, "paths") {
		m, _ := item.(map[string]any)
		for _, v := range verbs {
			if path != e.path || v != e.verb {
				taken[text(object(m, v), "operationId")] = true
			}
		}
	}
	id := name
	for n := 2; taken[id]; n++ {
		id = name + strconv.Itoa(n)
	}
	return id
}

// camelCase joins the words of a path, each with a capital at its head. Words
// are made of letters, digits, "_" and "-".
func camelCase(path string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(path, func(r rune) bool { return !isWord(r) && r != '-' }) {
		head := strings.IndexFunc(word, isWord)
		if head < 0 {
			b.WriteString(word)
			continue
		}
		b.WriteString(word[:head])
		b.WriteString(strings.ToUpper(word[head : head+1]))
		b.WriteString(strings.ToLower(word[head+1:]))
	}
	return b.String()
}

func isWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
}
