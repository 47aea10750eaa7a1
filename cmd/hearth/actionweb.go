package main

import (
	"crypto/rand"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// The annotations that make a web action.
const (
	webExport = "web-export"
	rawHTTP   = "raw-http"
	final     = "final"
	webAuth   = "require-whisk-auth"
)

// maxSecret keeps random secrets exact in every client's numbers.
const maxSecret = 1<<53 - 1

// annotateWeb carries out --web and --web-secure on what a will send. existing
// is the action as it stands, nil if there is none. The server merges
// annotations, so only what changes must be sent; the rest is sent along as
// wsk does.
func (f *actionFlags) annotateWeb(a, existing *client.Action) error {
	given := len(a.Annotations) > 0
	if f.changed("web") {
		values, ok := webValues(f.web)
		if !ok {
			return refuse(exitUsage, "Invalid argument '%s' for --web flag. Valid input consist of 'yes', 'true', 'raw', 'false', or 'no'.", f.web)
		}
		if existing != nil {
			keep := existing.Annotations
			if given {
				keep = only(keep, webAuth)
			}
			a.Annotations = addMissing(a.Annotations, keep)
		}
		a.Annotations = whisk.Parameters(a.Annotations).Without(webExport, rawHTTP, final)
		a.Annotations = append(a.Annotations, values...)
	}
	if f.changed("web-secure") {
		return f.secureWeb(a, existing)
	}
	return nil
}

func (f *actionFlags) secureWeb(a, existing *client.Action) error {
	off := strings.EqualFold(f.web, "false") || strings.EqualFold(f.web, "no")
	if !a.Web() && (existing == nil || !existing.Web() || off) {
		return refuse(exitUsage, "The --web-secure option is only valid when the --web option is enabled.")
	}
	if existing != nil {
		keep := existing.Annotations
		if len(a.Annotations) > 0 {
			keep = only(keep, webExport, rawHTTP, final, webAuth)
		}
		a.Annotations = addMissing(a.Annotations, keep)
	}
	old, had := whisk.Parameters(a.Annotations).Get(webAuth)
	switch {
	case strings.EqualFold(f.webSecure, "false") && had:
		a.DelAnnotations = append(a.DelAnnotations, webAuth)
		a.Annotations = whisk.Parameters(a.Annotations).Without(webAuth)
	case strings.EqualFold(f.webSecure, "false"):
		a.Annotations = append(a.Annotations, whisk.Parameter{Key: webAuth, Value: json.RawMessage("false")})
	case strings.EqualFold(f.webSecure, "true"):
		if had && isInteger(old) {
			return nil // it is secured by a number already
		}
		n, err := rand.Int(rand.Reader, big.NewInt(maxSecret))
		if err != nil {
			return err
		}
		a.Annotations = whisk.Parameters(a.Annotations).Set(webAuth, json.RawMessage(n.Add(n, big.NewInt(1)).String()))
	default:
		secret, err := marshalPlain(f.webSecure)
		if err != nil {
			return err
		}
		a.Annotations = whisk.Parameters(a.Annotations).Set(webAuth, secret)
	}
	return nil
}

// webValues returns the three annotations that a value of --web stands for.
func webValues(mode string) ([]whisk.Parameter, bool) {
	var web, raw bool
	switch strings.ToLower(mode) {
	case "yes", "true":
		web = true
	case "raw":
		web, raw = true, true
	case "no", "false":
	default:
		return nil, false
	}
	b := func(v bool) json.RawMessage { return json.RawMessage(strconv.FormatBool(v)) }
	return []whisk.Parameter{{Key: webExport, Value: b(web)}, {Key: rawHTTP, Value: b(raw)}, {Key: final, Value: b(web)}}, true
}

// only returns those parameters that have one of the keys.
func only(ps []whisk.Parameter, keys ...string) []whisk.Parameter {
	var out []whisk.Parameter
	for _, k := range keys {
		if v, ok := whisk.Parameters(ps).Get(k); ok {
			out = append(out, whisk.Parameter{Key: k, Value: v})
		}
	}
	return out
}

// addMissing returns ps and those of more whose keys it lacks.
func addMissing(ps, more []whisk.Parameter) []whisk.Parameter {
	out := ps[:len(ps):len(ps)]
	for _, p := range more {
		if _, ok := whisk.Parameters(ps).Get(p.Key); !ok {
			out = append(out, p)
		}
	}
	return out
}

func isInteger(raw json.RawMessage) bool {
	_, err := strconv.ParseInt(string(raw), 10, 64)
	return err == nil
}
