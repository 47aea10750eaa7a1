package api

import (
	"errors"
	"mime"
	"strings"
)

// media is a media type.
type media struct {
	name   string // "type/subtype" in lower case; "" for none
	params map[string]string
}

// parseMedia reads the value of a Content-Type header. A parameter that cannot
// be read does not spoil the type.
func parseMedia(s string) (media, bool) {
	switch s {
	case jsonType, "text/html", "text/plain": // most
		return media{name: s}, true
	}
	name, params, err := mime.ParseMediaType(s)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || !strings.Contains(name, "/") {
		return media{}, false
	}
	return media{name, params}, true
}

// isJSON reports whether the type is of the JSON family.
func (m media) isJSON() bool { return m.name == jsonType || strings.HasSuffix(m.name, "+json") }

// textTypes are the types that are text although neither family nor suffix
// shows it.
var textTypes = map[string]bool{
	jsonType: true, formType: true,
	"application/base64": true, "application/javascript": true, "application/x-latex": true,
	"application/x-vrml": true, "application/xml": true, "application/xml-dtd": true,
}

const formType = "application/x-www-form-urlencoded"

// binary reports whether bodies of the type are bytes and no text. A type that
// is not known is text if it has a charset.
func (m media) binary() bool {
	family, _, _ := strings.Cut(m.name, "/")
	switch family {
	case "text":
		return false
	case "audio", "font", "image", "message", "multipart", "video":
		return true
	}
	if textTypes[m.name] || m.isJSON() || strings.HasSuffix(m.name, "+xml") {
		return false
	}
	return m.params["charset"] == ""
}

// header returns the type as an answer's Content-Type. All text that Hearth
// sends is UTF-8, and says so unless its type knows no other.
func (m media) header() string {
	params := make(map[string]string, len(m.params)+1)
	for k, v := range m.params {
		if k != "charset" {
			params[k] = v
		}
	}
	text := !m.binary() && !m.isJSON() && m.name != formType
	if len(params) > 0 {
		if text {
			params["charset"] = "UTF-8"
		}
		if s := mime.FormatMediaType(m.name, params); s != "" {
			return s
		}
	}
	if text {
		return m.name + "; charset=UTF-8"
	}
	return m.name
}
