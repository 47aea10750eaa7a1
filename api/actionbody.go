package api

import (
	"math"
	"strconv"

	"hearth/whisk"
)

// actionBody is a PUT body: what is nil or empty was not given.
type actionBody struct {
	exec        *execBody
	parameters  *whisk.Parameters
	annotations *whisk.Parameters
	without     []string // keys of annotations to be removed
	limits      limitsBody
	version     *whisk.Version
	publish     *bool
}

// limitsBody are the limits that were given.
type limitsBody struct {
	timeout, memory, logs, concurrency, instances *int64
}

// parseAction reads an action's PUT body and checks its sizes, which come
// before any other check.
func parseAction(raw []byte, l *whisk.SystemLimits, runtimes whisk.Runtimes) (*actionBody, error) {
	if len(raw) == 0 {
		return nil, whisk.Errorf(whisk.BadRequest, "Request entity expected but not supplied")
	}
	if !whisk.IsObject(raw) {
		return nil, malformed("JSON object expected.")
	}
	b := &actionBody{}
	var parameters, annotations int64 // sizes
	fields := lastFields(raw, "exec", "parameters", "annotations", "delAnnotations", "limits", "version", "publish")
	for _, f := range []struct {
		name string
		read func(value []byte) error
	}{
		{"exec", func(v []byte) (err error) { b.exec, err = parseExec(v, runtimes); return err }},
		{"parameters", func(v []byte) (err error) { b.parameters, parameters, err = parametersOf(v, l); return err }},
		{"annotations", func(v []byte) (err error) { b.annotations, annotations, err = parametersOf(v, l); return err }},
		{"delAnnotations", func(v []byte) (err error) { b.without, err = parseKeys(v, l.ParameterSize); return err }},
		{"limits", b.limits.parse},
		{"version", func(v []byte) (err error) { b.version, err = parseVersion(v); return err }},
		{"publish", func(v []byte) (err error) { b.publish, err = parseBool(v, "publish"); return err }},
	} {
		v, given := fields[f.name]
		if !given {
			continue
		}
		if err := f.read(v); err != nil {
			if whisk.KindOf(err) != whisk.BadRequest {
				return nil, err
			}
			return nil, malformedBy(err)
		}
	}
	if b.exec != nil {
		if n := b.exec.size(); n > l.CodeSize {
			return nil, tooLarge("exec", n, l.CodeSize)
		}
		b.exec.seal()
	}
	if parameters > l.ParameterSize {
		return nil, tooLarge("parameters", parameters, l.ParameterSize)
	}
	if annotations > l.ParameterSize {
		return nil, tooLarge("annotations", annotations, l.ParameterSize)
	}
	return b, nil
}

// lastFields returns the raw values of the named top-level fields, of equal
// ones the last. A field that is null counts as absent.
func lastFields(raw []byte, names ...string) map[string][]byte {
	out := make(map[string][]byte, len(names))
	whisk.Fields(raw, func(key string, _, value []byte) bool {
		for _, n := range names {
			if n != key {
				continue
			}
			if isNull(value) {
				delete(out, n)
			} else {
				out[n] = value
			}
		}
		return true
	})
	return out
}

func parametersOf(raw []byte, l *whisk.SystemLimits) (*whisk.Parameters, int64, error) {
	ps, size, err := parseParameters(raw, l.ParameterSize)
	return &ps, size, err
}

// parseKeys reads an array of strings of at most limit bytes.
func parseKeys(raw []byte, limit int64) ([]string, error) {
	if n := int64(len(raw)); n > limit {
		return nil, tooLarge("annotations", n, limit)
	}
	if !whisk.IsArray(raw) {
		return nil, detail("'delAnnotations' must be an array of strings")
	}
	var (
		keys []string
		err  error
	)
	whisk.Elements(raw, func(v []byte) bool {
		key, isText := textOf(v)
		if !isText {
			err = detail("'delAnnotations' must be an array of strings")
			return false
		}
		keys = append(keys, key)
		return true
	})
	return keys, err
}

func parseVersion(raw []byte) (*whisk.Version, error) {
	text, isText := textOf(raw)
	if !isText {
		return nil, detail("semantic version malformed")
	}
	v, err := whisk.ParseVersion(text)
	return &v, err
}

func parseBool(raw []byte, name string) (*bool, error) {
	switch string(raw) {
	case "true", "false":
		v := string(raw) == "true"
		return &v, nil
	}
	return nil, detail("'" + name + "' must be a boolean")
}

func (l *limitsBody) parse(raw []byte) error {
	if !whisk.IsObject(raw) {
		return detail("JSON object expected.")
	}
	fields := lastFields(raw, "timeout", "memory", "logs", "concurrency", "instances")
	for _, f := range []struct {
		name, what string
		to         **int64
	}{
		{"timeout", "time", &l.timeout}, {"memory", "memory", &l.memory}, {"logs", "log", &l.logs},
		{"concurrency", "concurrency", &l.concurrency}, {"instances", "instance concurrency", &l.instances},
	} {
		v, given := fields[f.name]
		if !given {
			continue
		}
		n, err := wholeNumber(v, f.what)
		if err != nil {
			return err
		}
		*f.to = &n
	}
	return nil
}

// wholeNumber reads a JSON number that is whole, in whatever notation.
func wholeNumber(raw []byte, what string) (int64, error) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return 0, detail(what + " limit malformed")
	}
	if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, detail(what + " limit must be whole number")
	}
	return int64(f), nil
}

// over returns base with the given limits in place.
func (l *limitsBody) over(base whisk.Limits) whisk.Limits {
	for _, f := range []struct {
		given *int64
		to    *int64
	}{{l.timeout, &base.Timeout}, {l.memory, &base.Memory}, {l.logs, &base.Logs}, {l.concurrency, &base.Concurrency}} {
		if f.given != nil {
			*f.to = *f.given
		}
	}
	return base
}
