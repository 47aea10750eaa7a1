package api

import (
	"net/url"
	"strings"

	"hearth/whisk"
)

// extension says how a web action's result becomes an answer.
type extension uint8

// The extensions; the first also stands for a name without any.
const (
	extHTTP extension = iota
	extJSON
	extHTML
	extSVG
	extText
)

var extensionNames = [...]string{extHTTP: ".http", extJSON: ".json", extHTML: ".html", extSVG: ".svg", extText: ".text"}

// webTarget is the web action that a request is for.
type webTarget struct {
	action    whisk.ActionName
	extension extension
	path      string // what follows the action in the URL, as sent: "" or with a leading slash
}

// defaultPackage is the name that stands for no package in a web URL.
const defaultPackage = "default"

// parseWebPath reads "/ns/package/action[.ext][/more]", still escaped. Anything
// else is errNoRoute. What is no known extension belongs to the name.
func parseWebPath(s string) (webTarget, error) {
	var t webTarget
	var names [3]string
	for i := range names {
		if !strings.HasPrefix(s, "/") {
			return t, errNoRoute
		}
		segment, rest := s[1:], ""
		if end := strings.IndexByte(segment, '/'); end >= 0 {
			segment, rest = segment[:end], segment[end:]
		}
		name, err := url.PathUnescape(segment)
		if err != nil || !whisk.ValidName(name) {
			return t, errNoRoute
		}
		names[i], s = name, rest
	}
	t.path = s
	t.action = whisk.ActionName{Namespace: whisk.Namespace(names[0]), Package: names[1], Name: names[2]}
	if t.action.Package == defaultPackage {
		t.action.Package = ""
	}
	for e, ending := range extensionNames {
		if base, ok := strings.CutSuffix(names[2], ending); ok {
			if !whisk.ValidName(base) {
				return t, errNoRoute
			}
			t.action.Name, t.extension = base, extension(e)
			break
		}
	}
	return t, nil
}

// vanityNamespace returns the namespace that a Host header names before the
// domain: "guest" of "guest.example.com:3233" for "example.com".
func vanityNamespace(host, domain string) (string, bool) {
	if domain == "" || len(host) <= len(domain) {
		return "", false
	}
	if strings.IndexByte(domain, ':') < 0 {
		if i := strings.LastIndexByte(host, ':'); i > 0 {
			host = host[:i]
		}
	}
	at := len(host) - len(domain) - 1
	if at < 1 || host[at] != '.' || !strings.EqualFold(host[at+1:], domain) {
		return "", false
	}
	ns := host[:at]
	for i := range len(ns) {
		c := ns[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return "", false
		}
	}
	return ns, true
}

// vanityPath turns a path on a vanity host into one below /web.
func vanityPath(ns, path string) string {
	if path == "" || path == "/" {
		path = "/public/index.html"
	}
	return "/" + ns + path
}
