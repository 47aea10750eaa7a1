package flow

import (
	"bytes"
	"encoding/json"
	"strings"

	"hearth/whisk"
)

// verdict is what a conductor's result says: what to run next, with what, and
// what the conductor's next run is to know.
type verdict struct {
	action json.RawMessage // nil: the composition ends
	params json.RawMessage // an object; nil: none
	state  json.RawMessage // an object; nil: none
}

// parseVerdict reads the result of a conductor, which is valid JSON or nothing.
// Of equal keys the last counts.
func parseVerdict(result json.RawMessage) (v verdict) {
	whisk.Fields(result, func(key string, _, value []byte) bool {
		switch key {
		case "action":
			v.action = value
		case "params":
			v.params = boxed("value", value)
		case "state":
			v.state = boxed("state", value)
		}
		return true
	})
	return v
}

// boxed returns an object: value itself, or one that has it under the key.
func boxed(key string, value json.RawMessage) json.RawMessage {
	if whisk.IsObject(value) {
		return value
	}
	b := make([]byte, 0, len(value)+len(key)+5)
	b = append(append(append(b, '{', '"'), key...), '"', ':')
	return append(append(b, value...), '}')
}

// response is that of a composition whose last conductor had the response r and
// the verdict v.
func (v verdict) response(r whisk.Response) whisk.Response {
	if v.params != nil {
		r.Result, r.Size = v.params, len(v.params)
	}
	return r
}

// withState lays a conductor's state over its payload.
func withState(payload, state json.RawMessage) json.RawMessage {
	if state == nil {
		return passedOn(payload)
	}
	if len(payload) > 0 {
		payload = boxed("value", payload)
	}
	return whisk.MergeObjects(payload, state)
}

// componentName reads the name of an action as conductors give it: "/ns/a",
// "/ns/p/a", "ns/p/a", "p/a" or "a".
func componentName(value json.RawMessage, own whisk.Namespace) (whisk.ActionName, bool) {
	var s string
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
		return whisk.ActionName{}, false
	}
	if s != "" && s[0] != '/' && strings.Count(s, "/") < 2 {
		s = "/" + string(own) + "/" + s
	}
	name, err := whisk.ParseActionName(s, own)
	return name, err == nil
}

// compact returns a value's text without white space.
func compact(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return b.String()
}
