package api

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"hearth/whisk"
)

var (
	errMessage     = notValid("message/http")
	errUnknownType = &whisk.Error{Kind: whisk.BadRequest, Message: "Response did not specify a known content-type."}
	errWrongType   = &whisk.Error{Kind: whisk.BadRequest, Message: "Response type in header did not match generated content type."}
)

// httpResult is a result that says itself what to answer.
type httpResult struct {
	status      int // 0: not given
	header      http.Header
	contentType string
	typed       bool            // contentType is given
	body        json.RawMessage // nil: none, or null
}

// asHTTP answers as the result says: with its statusCode, headers and body.
func asHTTP(result json.RawMessage) (reply, error) {
	h, err := parseHTTPResult(result)
	if err != nil {
		return reply{}, err
	}
	rep := reply{status: http.StatusNoContent, header: h.header}
	text, isText := bytesOf(h.body)
	if h.body != nil && !(isText && len(text) == 0) {
		rep.status = http.StatusOK
		if isText {
			rep.mediaType, rep.body, err = textEntity(h, text)
		} else {
			rep.mediaType, rep.body, err = jsonEntity(h)
		}
		if err != nil {
			return reply{}, err
		}
	}
	if h.status != 0 {
		rep.status = h.status
	}
	if rep.status == http.StatusNoContent || rep.status == http.StatusNotModified {
		rep.mediaType, rep.body = "", nil // HTTP allows none
	}
	return rep, nil
}

// textEntity returns the entity of a text: as it is, or decoded where its type
// is binary. OpenWhisk decodes JSON that looks like base64, too; only what is
// JSON as it stands is spared here.
func textEntity(h httpResult, text []byte) (string, []byte, error) {
	m := media{name: "text/html"}
	if h.typed {
		var ok bool
		if m, ok = parseMedia(h.contentType); !ok {
			return "", nil, errUnknownType
		}
	}
	if !m.binary() && !(m.isJSON() && isBase64(text) && !json.Valid(text)) {
		return m.header(), text, nil
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		if b, err = base64.RawStdEncoding.AppendDecode(nil, text); err != nil {
			return "", nil, errWrongType
		}
	}
	return m.header(), b, nil
}

// jsonEntity returns the entity of a value that is no text.
func jsonEntity(h httpResult) (string, []byte, error) {
	m := media{name: jsonType}
	if h.typed {
		m, _ = parseMedia(h.contentType)
	}
	switch {
	case m.name == jsonType:
		return jsonType, h.body, nil
	case m.isJSON():
		return m.name, appendPretty(make([]byte, 0, 2*len(h.body)), h.body, prettyLimit(len(h.body))), nil
	}
	return "", nil, errWrongType
}

// parseHTTPResult takes a result apart; any that breaks the rules is errMessage.
func parseHTTPResult(result json.RawMessage) (httpResult, error) {
	var h httpResult
	if !whisk.IsObject(result) {
		return h, errMessage
	}
	valid := true
	var headers json.RawMessage
	whisk.Fields(result, func(key string, _, value []byte) bool {
		switch key {
		case "statusCode":
			h.status, valid = statusOfResult(value)
		case "headers":
			headers, valid = value, whisk.IsObject(value)
		case "body":
			if h.body = nil; !isNull(value) {
				h.body = value
			}
		}
		return valid
	})
	if !valid || !h.setHeaders(headers) {
		return h, errMessage
	}
	return h, nil
}

// statusOfResult reads a whole number or a text of one. Interim statuses are
// none that an answer can end with.
func statusOfResult(v []byte) (int, bool) {
	n := 0
	if text, ok := bytesOf(v); ok {
		var err error
		if n, err = strconv.Atoi(string(text)); err != nil {
			return 0, false
		}
	} else {
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			return 0, false
		}
		n = int(f)
	}
	return n, n >= 200 && n <= 999
}

// setHeaders takes the headers over; it reports whether all are well-formed.
func (h *httpResult) setHeaders(object json.RawMessage) bool {
	valid := true
	whisk.Fields(object, func(key string, _, value []byte) bool {
		if valid = validToken(key); valid {
			valid = h.addHeader(textproto.CanonicalMIMEHeaderKey(key), value)
		}
		return valid
	})
	return valid
}

// ownHeaders are those of answers that are the server's business.
var ownHeaders = map[string]bool{
	"Connection": true, "Content-Length": true, "Date": true, "Keep-Alive": true, "Proxy-Connection": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"X-Openwhisk-Activation-Id": true, "X-Request-Id": true,
}

// addHeader adds a text, a number or a truth value, or an array of those.
func (h *httpResult) addHeader(name string, value []byte) bool {
	if whisk.IsArray(value) {
		return h.addHeaders(name, value)
	}
	text, ok := textOf(value)
	if !ok {
		if isNull(value) || whisk.IsObject(value) {
			return false
		}
		text = string(value)
	}
	switch text = strings.TrimSpace(text); {
	case !validHeaderValue(text):
		return false
	case name == "Content-Type":
		if !h.typed {
			h.contentType, h.typed = text, true
		}
	case !ownHeaders[name]:
		if h.header == nil {
			h.header = http.Header{}
		}
		h.header[name] = append(h.header[name], text)
	}
	return true
}

// addHeaders adds the values of an array, however deep they stand in it.
func (h *httpResult) addHeaders(name string, array []byte) bool {
	for i := 0; i < len(array); {
		switch c := array[i]; c {
		case '[', ']', ',', ' ', '\t', '\r', '\n':
			i++
		case '"':
			end := textEnd(array, i)
			if !h.addHeader(name, array[i:end]) {
				return false
			}
			i = end
		case '{':
			return false
		default:
			end := i
			for end < len(array) && strings.IndexByte(",] \t\r\n", array[end]) < 0 {
				end++
			}
			if !h.addHeader(name, array[i:end]) {
				return false
			}
			i = end
		}
	}
	return true
}

// validToken reports whether s can be a header's name.
func validToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
