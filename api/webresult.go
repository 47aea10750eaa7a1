package api

import (
	"encoding/json"
	"net/http"

	"hearth/whisk"
)

const (
	plainText = "text/plain; charset=UTF-8"
	htmlText  = "text/html; charset=UTF-8"
	svgImage  = "image/svg+xml"
)

// errProperty says that a result lacks what its extension shows.
var errProperty = &whisk.Error{Kind: whisk.NotFound, Message: "Response does not include requested property."}

// notValid is the error of a result that its extension cannot show.
func notValid(mediaType string) error {
	return whisk.Errorf(whisk.BadRequest, "Response is not valid '%s'.", mediaType)
}

// webResult returns what a finished web action answers: its result or, in place
// of an error that it made itself, what stands under "error".
func webResult(rec *whisk.Activation) (json.RawMessage, error) {
	result := rec.Response.Result
	if len(result) == 0 {
		result = json.RawMessage("null")
	}
	switch rec.Response.Status {
	case whisk.Success:
		return result, nil
	case whisk.ApplicationError:
		v, ok := whisk.Field(result, "error")
		if !ok {
			return nil, errProperty
		}
		return v, nil
	}
	return nil, whisk.Errorf(whisk.BadRequest, "There was an error processing your request.")
}

// transcode makes a valid JSON value an answer. Errors are of kind BadRequest
// and NotFound.
func (e extension) transcode(result json.RawMessage) (reply, error) {
	switch e {
	case extJSON:
		return asJSON(result)
	case extHTML:
		return asDocument(result, "html", "text/html", htmlText)
	case extSVG:
		return asDocument(result, "svg", svgImage, svgImage)
	case extText:
		return asText(result)
	}
	return asHTTP(result)
}

func asJSON(result json.RawMessage) (reply, error) {
	if !whisk.IsObject(result) && !whisk.IsArray(result) {
		return reply{}, notValid(jsonType)
	}
	return reply{status: http.StatusOK, body: result}, nil
}

// projected returns the field "body" of an object, or that of the name; of other
// values themselves.
func projected(result json.RawMessage, name string) (json.RawMessage, bool) {
	if !whisk.IsObject(result) {
		return result, true
	}
	if v, ok := whisk.Field(result, "body"); ok {
		return v, true
	}
	return whisk.Field(result, name)
}

// asDocument answers with a text of the result.
func asDocument(result json.RawMessage, name, mediaType, header string) (reply, error) {
	v, _ := projected(result, name)
	text, ok := bytesOf(trimBlank(v))
	if !ok {
		return reply{}, notValid(mediaType)
	}
	return reply{status: http.StatusOK, mediaType: header, body: text}, nil
}

// asText answers with any value of the result.
func asText(result json.RawMessage) (reply, error) {
	v, ok := projected(result, "text")
	if !ok {
		return reply{}, errProperty
	}
	v = trimBlank(v)
	body := []byte(v)
	if text, ok := bytesOf(v); ok {
		body = text
	} else if whisk.IsObject(v) || whisk.IsArray(v) {
		body = appendPretty(make([]byte, 0, 2*len(v)), v, prettyLimit(len(v)))
	}
	return reply{status: http.StatusOK, mediaType: plainText, body: body}, nil
}

// trimBlank cuts the white space around a JSON value.
func trimBlank(v []byte) []byte {
	v = v[skipBlank(v, 0):]
	for len(v) > 0 && v[len(v)-1] <= ' ' {
		v = v[:len(v)-1]
	}
	return v
}
