package api

import (
	"encoding/base64"
	"unicode/utf8"

	"hearth/whisk"
)

// webBody is what a request's body is among a web action's arguments: fields of
// their own, or one value named __ow_body, or nothing.
type webBody struct {
	fields []byte // a JSON object, or nil
	value  []byte // any JSON, or nil
}

// webBody reads the body, at most limit bytes. For a raw action nothing is
// looked into; else JSON objects and forms are fields.
func (q *request) webBody(raw bool, limit int64) (webBody, error) {
	if q.ContentLength == 0 {
		return webBody{}, nil
	}
	b, err := q.readBody(limit)
	if err != nil || len(b) == 0 {
		return webBody{}, err
	}
	// Whatever becomes of it, there will be a second copy, a third longer at most.
	if err := q.reserve(int64(len(b)) * 4 / 3); err != nil {
		return webBody{}, err
	}
	m, _ := parseMedia(q.Header.Get("Content-Type"))
	if raw {
		return rawBody(m, b), nil
	}
	return parseWebBody(m, b, q.limits.JSONDepth)
}

// rawBody returns a body as text, or as base64 where that could not hold it.
// That of JSON is base64 too, as in OpenWhisk.
func rawBody(m media, b []byte) webBody {
	if m.name == jsonType || m.binary() {
		return webBody{value: base64Text(b)}
	}
	return webBody{value: appendString(make([]byte, 0, len(b)+2), b)}
}

// parseWebBody returns what a body of the type says. Its errors are of kind
// BadRequest.
func parseWebBody(m media, b []byte, depth int) (webBody, error) {
	switch {
	case m.isJSON():
		if !utf8.Valid(b) {
			return webBody{}, malformed("JSON text must be UTF-8.")
		}
		if err := whisk.CheckJSON(b, depth); err != nil {
			return webBody{}, malformedBy(err)
		}
		if whisk.IsObject(b) {
			return webBody{fields: b}, nil
		}
		return webBody{value: b}, nil
	case m.name == formType:
		pairs, err := parsePairs(string(b))
		if err != nil {
			return webBody{}, malformed("A form has an invalid escape.")
		}
		return webBody{fields: appendPairs(make([]byte, 0, len(b)+16*len(pairs)), pairs)}, nil
	case m.binary():
		return webBody{value: base64Text(b)}, nil
	}
	return webBody{value: appendString(make([]byte, 0, len(b)+2), b)}, nil
}

// base64Text returns b as a JSON text of base64.
func base64Text(b []byte) []byte {
	out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))+2)
	out = append(out, '"')
	out = base64.StdEncoding.AppendEncode(out, b)
	return append(out, '"')
}
