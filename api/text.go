package api

import (
	"io"
	"strconv"
	"unicode/utf8"

	"hearth/whisk"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become
// the replacement character, as encoding/json does it; nothing is escaped for
// HTML.
func appendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

// appendEscaped appends the inside of a JSON string.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := decodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + size
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(b, s[start:]...)
}

// decodeRune looks at no more than one rune, so that the conversion is cheap
// for either type.
func decodeRune[T string | []byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// writeEscaped writes the inside of a JSON string in pieces, so that large
// code is not held in memory twice.
func writeEscaped(w io.Writer, s []byte) error {
	const piece = 32 << 10
	var buf []byte
	for len(s) > 0 {
		n := min(len(s), piece)
		for back := 0; back < utf8.UTFMax && n < len(s) && !utf8.RuneStart(s[n]); back++ {
			n-- // not between the bytes of a rune
		}
		buf = appendEscaped(buf[:0], s[:n])
		if _, err := w.Write(buf); err != nil {
			return err
		}
		s = s[n:]
	}
	return nil
}

// appendKey appends `,"key":` or, just behind an opening brace, `"key":`. Keys
// are ours and need no escapes.
func appendKey(b []byte, key string) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, key...)
	return append(b, '"', ':')
}

func appendText(b []byte, key, value string) []byte {
	return appendString(appendKey(b, key), value)
}

func appendInt(b []byte, key string, value int64) []byte {
	return strconv.AppendInt(appendKey(b, key), value, 10)
}

func appendBool(b []byte, key string, value bool) []byte {
	return strconv.AppendBool(appendKey(b, key), value)
}

// appendVersion appends a version field without building its text.
func appendVersion(b []byte, v whisk.Version) []byte {
	b = append(appendKey(b, "version"), '"')
	b = strconv.AppendUint(b, uint64(v.Major), 10)
	b = strconv.AppendUint(append(b, '.'), uint64(v.Minor), 10)
	b = strconv.AppendUint(append(b, '.'), uint64(v.Patch), 10)
	return append(b, '"')
}

// appendID appends an activation id field.
func appendID(b []byte, key string, id whisk.ActivationID) []byte {
	b = append(appendKey(b, key), '"')
	for _, c := range id {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, '"')
}

// appendLimits appends a limits object.
func appendLimits(b []byte, l whisk.Limits) []byte {
	b = append(b, '{')
	b = appendInt(b, "timeout", l.Timeout)
	b = appendInt(b, "memory", l.Memory)
	b = appendInt(b, "logs", l.Logs)
	b = appendInt(b, "concurrency", l.Concurrency)
	return append(b, '}')
}

// appendParameters appends an array of parameters or annotations.
func appendParameters(b []byte, ps whisk.Parameters) []byte {
	b = append(b, '[')
	for i := range ps {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = appendText(b, "key", ps[i].Key)
		b = append(appendKey(b, "value"), ps[i].Shown()...)
		if ps[i].Init {
			b = appendBool(b, "init", true)
		}
		if ps[i].Encryption != "" {
			b = appendText(b, "encryption", ps[i].Encryption)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}
