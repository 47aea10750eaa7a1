package conformance

import (
	"encoding/json"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Value is a JSON value in an answer. Paths into it are keys and indexes with
// dots between them.
type Value struct {
	c     *C
	what  string // the request, and the path to the value
	shown *Answer
	v     any
}

// wrong ends the check: the answer is not as wanted.
func (v Value) wrong(format string, args ...any) {
	v.c.Helper()
	v.c.fatal("%s answered %d %s\n"+format, append([]any{v.what, v.shown.Status, v.shown.shown()}, args...)...)
}

// lookup follows a path.
func (v Value) lookup(path string) (any, bool) { return step(v.v, strings.Split(path, ".")) }

func step(v any, keys []string) (any, bool) {
	for _, k := range keys {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[k]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// at returns what is at the keys, whatever characters they have.
func (v Value) at(keys ...string) Value {
	v.c.Helper()
	got, ok := step(v.v, keys)
	if !ok {
		v.wrong("no %s", strings.Join(keys, " → "))
	}
	v.what, v.v = v.what+" ["+strings.Join(keys, " → ")+"]", got
	return v
}

// is wants the value.
func (v Value) is(want any) {
	v.c.Helper()
	if want = normal(want); !reflect.DeepEqual(v.v, want) {
		v.wrong("it is %s, want %s", show(v.v), show(want))
	}
}

// field wants a field with the value.
func (v Value) field(path string, want any) Value {
	v.c.Helper()
	got, ok := v.lookup(path)
	if !ok {
		v.wrong("no %s, want %s", path, show(want))
	}
	if want = normal(want); !reflect.DeepEqual(got, want) {
		v.wrong("%s is %s, want %s", path, show(got), show(want))
	}
	return v
}

// has wants fields to be there, whatever they are.
func (v Value) has(paths ...string) Value {
	v.c.Helper()
	for _, p := range paths {
		if _, ok := v.lookup(p); !ok {
			v.wrong("no %s", p)
		}
	}
	return v
}

// lacks wants fields not to be there, not even as null.
func (v Value) lacks(paths ...string) Value {
	v.c.Helper()
	if _, object := v.v.(map[string]any); !object {
		v.wrong("it is no object")
	}
	for _, p := range paths {
		if got, ok := v.lookup(p); ok {
			v.wrong("%s is %s, want none", p, show(got))
		}
	}
	return v
}

// keys wants the object to have exactly the keys.
func (v Value) keys(want ...string) Value {
	v.c.Helper()
	object, _ := v.v.(map[string]any)
	var got []string
	for k := range object {
		got = append(got, k)
	}
	sort.Strings(got)
	sort.Strings(want)
	if !reflect.DeepEqual(got, want) {
		v.wrong("its keys are %q, want %q", got, want)
	}
	return v
}

func (v Value) str(path string) string {
	v.c.Helper()
	got, _ := v.lookup(path)
	s, ok := got.(string)
	if !ok {
		v.wrong("%s is %s, want a string", path, show(got))
	}
	return s
}

func (v Value) num(path string) float64 {
	v.c.Helper()
	got, _ := v.lookup(path)
	n, ok := got.(float64)
	if !ok {
		v.wrong("%s is %s, want a number", path, show(got))
	}
	return n
}

func (v Value) list(path string) []any {
	v.c.Helper()
	got, _ := v.lookup(path)
	l, ok := got.([]any)
	if !ok {
		v.wrong("%s is %s, want an array", path, show(got))
	}
	return l
}

// rows are the elements of the value, which must be an array.
func (v Value) rows() []Value {
	v.c.Helper()
	l, ok := v.v.([]any)
	if !ok {
		v.wrong("it is no array")
	}
	out := make([]Value, len(l))
	for i := range l {
		out[i] = v
		out[i].what, out[i].v = v.what+" ["+strconv.Itoa(i)+"]", l[i]
	}
	return out
}

// row is the first element whose field has the value.
func (v Value) row(path string, is any) Value {
	v.c.Helper()
	r, ok := v.find(path, is)
	if !ok {
		v.wrong("no element has the %s %s", path, show(is))
	}
	return r
}

func (v Value) find(path string, is any) (Value, bool) {
	v.c.Helper()
	is = normal(is)
	for _, r := range v.rows() {
		if got, ok := r.lookup(path); ok && reflect.DeepEqual(got, is) {
			return r, true
		}
	}
	return Value{}, false
}

// column are the values of a field of all elements.
func (v Value) column(path string) []any {
	v.c.Helper()
	var out []any
	for _, r := range v.rows() {
		got, _ := r.lookup(path)
		out = append(out, got)
	}
	return out
}

func (v Value) annotation(key string, want any) Value {
	v.c.Helper()
	v.at("annotations").row("key", key).field("value", want)
	return v
}

func (v Value) noAnnotation(key string) Value {
	v.c.Helper()
	if r, ok := v.at("annotations").find("key", key); ok {
		v.wrong("there is an annotation %s", show(r.v))
	}
	return v
}

func (v Value) parameter(key string, want any) Value {
	v.c.Helper()
	v.at("parameters").row("key", key).field("value", want)
	return v
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(b) > 300 {
		b = append(b[:300:300], "…"...)
	}
	return string(b)
}
