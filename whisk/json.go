package whisk

import (
	"bytes"
	"encoding/json"
)

// IsObject reports whether b, already known to be valid JSON, is an object.
func IsObject(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '{'
}

// IsArray reports whether b, already known to be valid JSON, is an array.
func IsArray(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r\n")
	return len(b) > 0 && b[0] == '['
}

// Fields calls f with each top-level key of the valid JSON object b, its raw
// quoted text and its raw value, in order, until f returns false. It copies
// nothing: the slices point into b. A key without escapes is passed as it
// stands, others decoded.
func Fields(b []byte, f func(key string, rawKey, value []byte) bool) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return
	}
	i = skipSpace(b, i+1)
	for i < len(b) && b[i] != '}' {
		end := skipValue(b, i)
		rawKey := b[i:end]
		i = skipSpace(b, end)
		i = skipSpace(b, i+1) // the colon
		if i > len(b) {
			return // not valid, as was asked for
		}
		end = skipValue(b, i)
		value := b[i:end]
		var key string
		if bytes.IndexByte(rawKey, '\\') < 0 && len(rawKey) >= 2 {
			key = string(rawKey[1 : len(rawKey)-1])
		} else if json.Unmarshal(rawKey, &key) != nil {
			return
		}
		if !f(key, rawKey, value) {
			return
		}
		i = skipSpace(b, end)
		if i < len(b) && b[i] == ',' {
			i = skipSpace(b, i+1)
		}
	}
}

// Field returns the raw value of a top-level key of the valid JSON object b;
// of equal keys the last.
func Field(b []byte, key string) (json.RawMessage, bool) {
	var out json.RawMessage
	found := false
	Fields(b, func(k string, _, v []byte) bool {
		if k == key {
			out, found = v, true
		}
		return true
	})
	return out, found
}

// MergeObjects lays the object over on the object base, top-level keys only,
// as raw text: values are never re-encoded, so that big integers and number
// texts pass unchanged. Either may be nil. Both must be valid JSON objects.
// Where one of them has no keys the other is returned as it is.
func MergeObjects(base, over json.RawMessage) json.RawMessage {
	if len(over) == 0 || isEmptyObject(over) {
		if len(base) == 0 {
			return json.RawMessage("{}")
		}
		return base
	}
	if len(base) == 0 || isEmptyObject(base) {
		return over
	}
	given := map[string]bool{}
	Fields(over, func(k string, _, _ []byte) bool { given[k] = true; return true })
	out := make([]byte, 0, len(base)+len(over))
	out = append(out, '{')
	Fields(base, func(k string, raw, v []byte) bool {
		if !given[k] {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(append(out, raw...), ':'), v...)
		}
		return true
	})
	rest := bytes.TrimLeft(over, " \t\r\n")[1:] // behind the brace
	if len(out) > 1 {
		out = append(out, ',')
	}
	return append(out, rest...)
}

func isEmptyObject(b []byte) bool {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return false
	}
	i = skipSpace(b, i+1)
	return i < len(b) && b[i] == '}'
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the index behind the value that starts at b[i].
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		for i = plainEnd(b, i+1); i < len(b); i = plainEnd(b, i) {
			if b[i] == '"' {
				return i + 1
			}
			i += 2 // an escape
		}
		return len(b)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				i = skipValue(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(b)
	}
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\t', '\n', '\r', ':':
			return i
		}
		i++
	}
	return i
}

// writeJSONString writes s as a JSON string, without HTML escapes.
func writeJSONString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)         // a string always encodes
	b.Truncate(b.Len() - 1) // the newline
}
