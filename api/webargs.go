package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"hearth/whisk"
)

// reservedArguments are those that say how a web action was called; no client
// may give them.
var reservedArguments = []string{"__ow_method", "__ow_headers", "__ow_path", "__ow_user", "__ow_query", "__ow_body"}

// errParameters refuses a request that would override what it must not.
var errParameters = &whisk.Error{Kind: whisk.BadRequest, Message: "Request defines parameters that are not allowed (e.g., reserved properties)."}

// webPayload returns what a web action is given: query and body, the later
// overriding the former, and how it was called. Query and body may name neither
// a reserved argument nor what is final. A raw action gets both unread, and so
// nothing in them can be refused.
func webPayload(q *request, t webTarget, r *whisk.Resolved, body webBody, raw bool) (json.RawMessage, error) {
	pairs, err := parsePairs(q.URL.RawQuery)
	if err != nil {
		return nil, whisk.Errorf(whisk.BadRequest, "The query was malformed:\ninvalid escape")
	}
	b := make([]byte, 0, 1024+len(body.fields)+len(body.value))
	b = append(b, '{')
	b = appendLower(appendKey(b, "__ow_method"), q.Method) // one of webMethods
	b = appendHeaders(appendKey(b, "__ow_headers"), q)
	b = appendText(b, "__ow_path", t.path)
	if q.identity != nil {
		b = appendText(b, "__ow_user", string(q.identity.Namespace))
	}
	if raw {
		b = appendText(b, "__ow_query", encodePairs(pairs))
		b = appendKey(b, "__ow_body")
		if body.value == nil {
			return append(b, '"', '"', '}'), nil
		}
		return append(append(b, body.value...), '}'), nil
	}
	var given json.RawMessage
	if len(pairs) > 0 || body.fields != nil {
		if given, err = clientFields(pairs, body.fields, r); err != nil {
			return nil, err
		}
	}
	if body.value != nil {
		b = append(appendKey(b, "__ow_body"), body.value...)
	}
	if inside := fieldsOf(given); len(inside) > 0 {
		b = append(append(b, ','), inside...)
	}
	return append(b, '}'), nil
}

// clientFields returns the object of what a client gives, checked.
func clientFields(pairs []pair, body json.RawMessage, r *whisk.Resolved) (json.RawMessage, error) {
	given := body
	if len(pairs) > 0 {
		given = whisk.MergeObjects(appendPairs(nil, pairs), body)
	}
	reserved := false
	whisk.Fields(given, func(key string, _, _ []byte) bool {
		reserved = strings.HasPrefix(key, "__ow_") && slices.Contains(reservedArguments, key)
		return !reserved
	})
	if reserved {
		return nil, errParameters
	}
	return given, r.CheckPayload(given)
}

// fieldsOf returns what stands between the braces of a valid JSON object.
func fieldsOf(object []byte) []byte {
	object = bytes.TrimSpace(object)
	if len(object) < 2 {
		return nil
	}
	return bytes.TrimSpace(object[1 : len(object)-1])
}

// appendHeaders appends the request's headers as an object, their names in
// lower case. It leaves out what belongs to the connection or to Hearth, and a
// key that has opened this platform: the action has no business with it.
func appendHeaders(b []byte, q *request) []byte {
	b = append(b, '{')
	if q.Host != "" {
		b = appendText(b, "host", q.Host)
	}
	for name, values := range q.Header {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Host":
			continue
		case "Authorization":
			if q.identity != nil {
				continue
			}
		}
		separator := ", "
		if name == "Cookie" {
			separator = "; "
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendLower(b, name), ':')
		b = appendString(b, strings.Join(values, separator))
	}
	return append(b, '}')
}

// appendLower appends a token in lower case; tokens have nothing to escape.
func appendLower(b []byte, name string) []byte {
	b = append(b, '"')
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return append(b, '"')
}
