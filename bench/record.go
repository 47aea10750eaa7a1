package bench

import (
	"bytes"
	"errors"
	"time"

	"hearth/whisk"
)

var errNotJSON = errors.New("not the JSON expected")

// CheckRecord judges the answer to a blocking invocation of OpenWhisk's API:
// it reads the record's phases and kind of start, and holds its result against
// want (nil: any successful one is right). A start that cannot be told from a
// cold one, a prewarmed sandbox's, counts as cold.
func CheckRecord(want func(seq int64, result []byte) bool) func(int64, Answer, *Hit) {
	return func(seq int64, a Answer, h *Hit) {
		if a.Status != 200 && a.Status != 502 { // 502 may be a record of an action's error
			if a.Status == 202 {
				h.Class = ClassPending
			}
			return
		}
		r, err := readRecord(a.Body)
		switch {
		case err != nil && a.Status == 200:
			h.Class = ClassBadAnswer
		case err != nil:
			// The status' class stands.
		case !r.success:
			h.Class = ClassFailed
		case want != nil && !want(seq, r.result):
			h.Class = ClassWrongAnswer
		default:
			h.Class = ""
		}
		if err == nil {
			h.Start, h.Wait, h.Init, h.Run = r.start, r.wait, r.init, r.run
		}
	}
}

// CheckResult judges an answer whose whole body is the result.
func CheckResult(want func(seq int64, result []byte) bool) func(int64, Answer, *Hit) {
	return func(seq int64, a Answer, h *Hit) {
		switch {
		case a.Status == 202:
			h.Class = ClassPending
		case a.Status == 200 && !want(seq, a.Body):
			h.Class = ClassWrongAnswer
		}
	}
}

// record is what the load tool reads of an activation's record.
type record struct {
	success         bool
	result          []byte // within the record's bytes
	start           whisk.Start
	wait, init, run time.Duration
}

// readRecord reads a record without decoding it: at ten thousand a second,
// encoding/json would take from the server what is to be measured. It checks
// no more of the JSON than it walks over.
func readRecord(b []byte) (record, error) {
	var r record
	identified := false
	_, ok := eachField(b, func(key, v []byte) bool {
		switch string(key) {
		case "activationId":
			identified = true
		case "duration":
			return milliseconds(&r.run, v)
		case "response":
			return r.response(v)
		case "annotations":
			return eachElement(v, r.annotation)
		}
		return true
	})
	if !ok || !identified {
		return record{}, errNotJSON
	}
	if r.start == whisk.Cold {
		r.run = max(r.run-r.init, 0) // a record's duration is both
	}
	return r, nil
}

func (r *record) response(b []byte) bool {
	_, ok := eachField(b, func(key, v []byte) bool {
		switch string(key) {
		case "success":
			r.success = string(v) == "true"
		case "result":
			r.result = v
		}
		return true
	})
	return ok
}

func (r *record) annotation(b []byte) bool {
	var name, value []byte
	_, ok := eachField(b, func(key, v []byte) bool {
		switch string(key) {
		case "key":
			name = v
		case "value":
			value = v
		}
		return true
	})
	switch string(name) {
	case `"waitTime"`:
		r.start = max(r.start, whisk.Warm) // it ran
		return ok && milliseconds(&r.wait, value)
	case `"initTime"`:
		r.start = whisk.Cold
		return ok && milliseconds(&r.init, value)
	}
	return ok
}

// milliseconds reads a JSON number. Records have whole ones.
func milliseconds(d *time.Duration, v []byte) bool {
	n, ok := parseLength(v)
	*d = time.Duration(min(n, int64(longest/time.Millisecond))) * time.Millisecond
	return ok
}

// eachField calls f with the keys (without their quotes, undecoded) and values
// of the object that b begins with, and returns what follows. It is false for
// what is no object, and once f is.
func eachField(b []byte, f func(key, value []byte) bool) ([]byte, bool) {
	return walk(b, '{', '}', func(b []byte) ([]byte, bool) {
		key, rest, ok := cutValue(b)
		rest = skipSpace(rest)
		if !ok || len(key) < 2 || key[0] != '"' || len(rest) == 0 || rest[0] != ':' {
			return nil, false
		}
		v, rest, ok := cutValue(rest[1:])
		return rest, ok && f(key[1:len(key)-1], v)
	})
}

// eachElement calls f with the elements of the array b.
func eachElement(b []byte, f func(v []byte) bool) bool {
	_, ok := walk(b, '[', ']', func(b []byte) ([]byte, bool) {
		v, rest, ok := cutValue(b)
		return rest, ok && f(v)
	})
	return ok
}

// walk goes over what stands between two brackets, separated by commas.
func walk(b []byte, open, end byte, item func([]byte) ([]byte, bool)) ([]byte, bool) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != open {
		return nil, false
	}
	b = skipSpace(b[1:])
	if len(b) > 0 && b[0] == end {
		return b[1:], true
	}
	for {
		var ok bool
		if b, ok = item(b); !ok {
			return nil, false
		}
		b = skipSpace(b)
		switch {
		case len(b) == 0:
			return nil, false
		case b[0] == end:
			return b[1:], true
		case b[0] != ',':
			return nil, false
		}
		b = b[1:]
	}
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// cutValue returns the JSON value that b begins with, and what follows.
func cutValue(b []byte) (v, rest []byte, ok bool) {
	b = skipSpace(b)
	if len(b) == 0 {
		return nil, nil, false
	}
	n := 0
	switch b[0] {
	case '"':
		n = stringEnd(b)
	case '{', '[':
		n = nestEnd(b)
	default:
		n = bytes.IndexAny(b, ",:]} \n\t\r")
		if n < 0 {
			n = len(b)
		}
	}
	if n <= 0 {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// stringEnd returns the length of the string that b begins with, -1 if it
// does not end.
func stringEnd(b []byte) int {
	for i := 1; ; {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		i += n
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
}

// nestEnd returns the length of the object or array that b begins with, -1 if
// it does not end.
func nestEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
