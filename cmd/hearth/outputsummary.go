package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"hearth/whisk"
)

// hasField reports whether the struct that v points to has a field of that
// name, in any case.
func hasField(v any, name string) bool {
	_, ok := reflect.TypeOf(v).Elem().FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, name) })
	return ok
}

// fieldOf returns the field that hasField has found.
func fieldOf(v any, name string) any {
	return reflect.ValueOf(v).Elem().FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, name) }).Interface()
}

// printSummary shows what an entity is for, from its annotations "description"
// and "parameters".
func printSummary(p *printer, kind, name string, annotations, parameters []whisk.Parameter) {
	names := paramNames(annotations, parameters)
	title := kind + " " + name
	switch description := annotationText(annotations, "description"); {
	case description != "":
		title += ": " + description
	case len(names) > 0:
		title += ": Returns a result based on parameter" + nameList(names)
	}
	params := strings.Join(names, ", ")
	if params == "" {
		params = "none defined"
	}
	p.printf("%s\n   (parameters: %s)\n", title, params)
}

// nameList says " a", or "s a, b and c".
func nameList(names []string) string {
	plain := make([]string, len(names))
	for i, n := range names {
		plain[i] = strings.ReplaceAll(n, "*", "")
	}
	last := len(plain) - 1
	if last == 0 {
		return " " + plain[0]
	}
	return "s " + strings.Join(plain[:last], ", ") + " and " + plain[last]
}

// paramNames returns the names of the bound parameters, marked with * (** if
// they are final), and of the annotated ones, sorted.
func paramNames(annotations, parameters []whisk.Parameter) []string {
	mark := "*"
	if v, _ := whisk.Parameters(annotations).Get(final); string(v) == "true" {
		mark = "**"
	}
	var rows []struct {
		Name json.RawMessage `json:"name"`
	}
	raw, _ := whisk.Parameters(annotations).Get("parameters")
	_ = json.Unmarshal(raw, &rows) // an annotation of another form describes nothing
	var names []string
	for _, r := range rows {
		var s string
		if json.Unmarshal(r.Name, &s) == nil {
			names = append(names, s)
		}
	}
	for _, p := range parameters {
		names = append(names, p.Key)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i, n := range names {
		if _, bound := whisk.Parameters(parameters).Get(n); bound {
			names[i] = mark + n
		}
	}
	return names
}

// got prints what a get command fetched, or one field of it.
func (p *printer) got(kind, name string, v any, field string) {
	if field == "" {
		p.printf("ok: got %s %s\n", kind, name)
		p.json(v)
		return
	}
	p.printf("ok: got %s %s, displaying field %s\n", kind, name, field)
	p.json(fieldOf(v, field))
}
