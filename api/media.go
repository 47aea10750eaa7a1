package api

import (
	"net/http"
	"strconv"
	"strings"

	"hearth/whisk"
)

const jsonType = "application/json"

// checkContentType returns an error of kind UnsupportedMediaType unless the
// request says that its body is JSON.
func checkContentType(h http.Header) error {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(t), jsonType) {
		return nil
	}
	return whisk.Errorf(whisk.UnsupportedMediaType, "The request's Content-Type is not supported. Expected:\n%s", jsonType)
}

// checkEncoding refuses compressed bodies: their size could not be bounded by
// what is read.
func checkEncoding(h http.Header) error {
	for _, e := range h["Content-Encoding"] {
		if e = strings.TrimSpace(e); e != "" && !strings.EqualFold(e, "identity") {
			return whisk.Errorf(whisk.UnsupportedMediaType, "The request's Content-Encoding is not supported. Expected:\nidentity")
		}
	}
	return nil
}

// checkAccept returns an error of kind NotAcceptable if the request's Accept
// headers exclude the media type.
func checkAccept(h http.Header, mediaType string) error {
	lines := h["Accept"]
	if len(lines) == 0 || len(lines) == 1 && (lines[0] == "*/*" || lines[0] == mediaType) {
		return nil
	}
	if !accepts(lines, mediaType) {
		return whisk.Errorf(whisk.NotAcceptable, "Resource representation is only available with these types:\n%s", mediaType)
	}
	return nil
}

// accepts reports whether the most specific range that matches the type has a
// quality above 0. Lines without any readable range accept all.
func accepts(lines []string, mediaType string) bool {
	family, _, _ := strings.Cut(mediaType, "/")
	found, best, quality := false, -1, 0.0
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(item, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			if !strings.Contains(name, "/") && name != "*" {
				continue
			}
			found = true
			rank := -1
			switch name {
			case mediaType:
				rank = 2
			case family + "/*":
				rank = 1
			case "*/*", "*":
				rank = 0
			}
			if rank > best {
				best, quality = rank, qualityOf(params)
			}
		}
	}
	return !found || best >= 0 && quality > 0
}

// qualityOf returns the q of a media range's parameters, 1 if it is absent or
// unreadable.
func qualityOf(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(k), "q") {
			if q, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
				return q
			}
		}
	}
	return 1
}
