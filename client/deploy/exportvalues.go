package deploy

import (
	"strings"

	"hearth/whisk"
)

// annotations returns those that a deploy does not make by itself.
func (e *Export) annotations(ps []whisk.Parameter) map[string]Value {
	out := map[string]Value{}
	for _, p := range whisk.Parameters(ps).Without(managedKey, "exec", "binding", "feed") {
		v := decode(p.Value)
		if s, ok := v.(string); ok {
			v, _ = escape(s)
		}
		out[p.Key] = Value{v}
	}
	return out
}

func (e *Export) inputs(of string, ps []whisk.Parameter) map[string]*Input {
	out := map[string]*Input{}
	for _, p := range ps {
		v, whole := escaped(decode(p.Value))
		if !whole {
			e.warn("the input %s of %s begins with a $, which a deploy would replace", p.Key, of)
		}
		out[p.Key] = &Input{v: v}
	}
	return out
}

// escape returns a text that expands to s. It is false if there is none.
func escape(s string) (string, bool) {
	out := strings.ReplaceAll(s, "${", "$${")
	return out, scope{getenv: func(string) string { return "" }, left: new(len(out))}.expand(out) == s
}

// escaped is escape for the texts that inputs expand.
func escaped(v any) (any, bool) {
	switch x := v.(type) {
	case string:
		return escape(x)
	case map[string]any:
		out, whole := map[string]any{}, true
		for k, one := range x {
			switch one.(type) {
			case string, map[string]any:
				e, ok := escaped(one)
				out[k], whole = e, whole && ok
			default:
				out[k] = one
			}
		}
		return out, whole
	}
	return v, true
}
