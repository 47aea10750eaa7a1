package whisk

import "encoding/json"

// Bind lays the payload of an invoke over the parameters. args is what the run
// gets; env, a JSON object of strings or nil, is what the sandbox's environment
// gets at its init. A field of the payload that has the key of an init parameter
// goes where that goes: its value stands in the environment, and it is no
// argument.
//
// The payload is a valid JSON object or nil; an array (inside a sequence) is
// passed as it is.
func (ps Parameters) Bind(payload json.RawMessage) (args, env json.RawMessage) {
	if IsArray(payload) {
		return payload, ps.Environment()
	}
	ps, payload = ps.takeInit(payload)
	return MergeObjects(ps.Arguments(), payload), ps.Environment()
}

// takeInit moves the values that the payload has for init parameters into a copy
// of ps. Without any, both are returned as they are.
func (ps Parameters) takeInit(payload json.RawMessage) (Parameters, json.RawMessage) {
	var at map[string]int
	for i := range ps {
		if !ps[i].Init {
			continue
		}
		if at == nil { // most have none
			at = map[string]int{}
		}
		at[ps[i].Key] = i
	}
	taken := false
	if len(at) > 0 {
		Fields(payload, func(key string, _, _ []byte) bool {
			_, taken = at[key]
			return !taken
		})
	}
	if !taken {
		return ps, payload
	}
	out := append(Parameters(nil), ps...)
	rest := append(make([]byte, 0, len(payload)), '{')
	Fields(payload, func(key string, raw, value []byte) bool {
		if i, ok := at[key]; ok {
			out[i].Value = value
			return true
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = append(append(append(rest, raw...), ':'), value...)
		return true
	})
	return out, append(rest, '}')
}
