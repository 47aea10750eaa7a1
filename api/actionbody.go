package api

import (
	"math"
	"strconv"

	"hearth/whisk"
)

// actionBody is an action's PUT body: what is nil or empty was not given.
type actionBody struct {
	entityBody
	exec    *execBody
	without []string // keys of annotations to be removed
	limits  limitsBody
}

// limitsBody are the limits that were given.
type limitsBody struct {
	timeout, memory, logs, concurrency, instances *int64
}

// parseAction reads an action's PUT body and checks its sizes, which come
// before any other check. A namespace "_" in it stands for own.
func parseAction(raw []byte, l *whisk.SystemLimits, runtimes whisk.Runtimes, own whisk.Namespace) (*actionBody, error) {
	b := &actionBody{}
	fields := []field{{"exec", func(v []byte) (err error) { b.exec, err = parseExec(v, l, runtimes, own); return err }}}
	fields = append(fields, b.fields(l)...)
	fields = append(fields,
		field{"delAnnotations", func(v []byte) (err error) { b.without, err = parseKeys(v, l.ParameterSize); return err }},
		field{"limits", b.limits.parse},
	)
	if err := readFields(raw, fields); err != nil {
		return nil, err
	}
	if b.exec != nil {
		if n := b.exec.size(); n > l.CodeSize {
			return nil, tooLarge("exec", n, l.CodeSize)
		}
		b.exec.seal()
	}
	return b, b.checkSizes(l)
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
