package api

import (
	"net/url"
	"strings"
)

// pair is one parameter of a query or a form.
type pair struct {
	key, value string
	bare       bool // without "="
}

// parsePairs reads "a=b&c", as queries and forms have it, in order.
func parsePairs(s string) ([]pair, error) {
	if s == "" {
		return nil, nil
	}
	out := make([]pair, 0, 1+strings.Count(s, "&"))
	for part := range strings.SplitSeq(s, "&") {
		if part == "" {
			continue
		}
		key, value, found := strings.Cut(part, "=")
		k, err := url.QueryUnescape(key)
		if err != nil {
			return nil, err
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{k, v, !found})
	}
	return out, nil
}

// appendPairs appends the pairs as one JSON object of texts; of equal keys the
// last counts.
func appendPairs(b []byte, pairs []pair) []byte {
	var last map[string]int // clients choose how many there are
	if len(pairs) > 1 {
		last = make(map[string]int, len(pairs))
		for i := range pairs {
			last[pairs[i].key] = i
		}
	}
	b = append(b, '{')
	for i := range pairs {
		if last != nil && last[pairs[i].key] != i {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendString(b, pairs[i].key), ':')
		b = appendString(b, pairs[i].value)
	}
	return append(b, '}')
}

// encodePairs writes pairs as a query again, with as few escapes as need be.
func encodePairs(pairs []pair) string {
	var b strings.Builder
	for i := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		writeQueryText(&b, pairs[i].key)
		if !pairs[i].bare {
			b.WriteByte('=')
			writeQueryText(&b, pairs[i].value)
		}
	}
	return b.String()
}

// writeQueryText escapes what a query may not have or gives a meaning to.
func writeQueryText(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b.WriteByte('+')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~!$'()*,:@/?", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}
