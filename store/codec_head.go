package store

import (
	"encoding/json"
	"strconv"

	"hearth/whisk"
)

// appendHead appends the head of a record: the JSON that package json makes of
// its recordHead without result and logs, in a tenth of the time. A change of
// the fields of a record is a change here, of which the tests tell.
func appendHead(b []byte, a *whisk.Activation) []byte {
	b = append(b, `{"activationId":"`...)
	b = appendID(b, a.ID)
	b = appendString(b, `","namespace":`, string(a.Namespace))
	b = appendString(b, `,"name":`, a.Name)
	b = appendText(b, `,"package":`, a.Package)
	b = appendString(b, `,"subject":`, a.Subject)
	b = appendInt(b, `,"start":`, a.Start)
	b = appendNumber(b, `,"end":`, a.End)
	b = appendInt(b, `,"duration":`, a.Duration)
	if !a.Cause.IsZero() {
		b = append(b, `,"cause":"`...)
		b = append(appendID(b, a.Cause), '"')
	}
	b = appendInt(b, `,"response":{"statusCode":`, int64(a.Response.Status))
	b = appendNumber(b, `,"size":`, int64(a.Response.Size))
	b = append(b, `},"facts":`...)
	b = appendFacts(b, &a.Facts)
	b = appendTrue(b, `,"unstored":`, a.Unstored)
	b = appendNumber(b, `,"attempt":`, int64(a.Attempt))
	b = appendInt(b, `,"version":[`, int64(a.Version.Major))
	b = appendInt(b, `,`, int64(a.Version.Minor))
	b = appendInt(b, `,`, int64(a.Version.Patch))
	return append(b, "]}"...)
}

func appendFacts(b []byte, f *whisk.Facts) []byte {
	at := len(b)
	b = appendText(b, `,"path":`, f.Path)
	b = appendText(b, `,"kind":`, f.Kind)
	if l := f.Limits; l != nil {
		b = appendInt(b, `,"limits":{"timeout":`, l.Timeout)
		b = appendInt(b, `,"memory":`, l.Memory)
		b = appendInt(b, `,"logs":`, l.Logs)
		b = append(appendInt(b, `,"concurrency":`, l.Concurrency), '}')
	}
	b = appendTrue(b, `,"timeout":`, f.TimedOut)
	b = appendNumber(b, `,"waitTime":`, f.Wait)
	b = appendNumber(b, `,"initTime":`, f.Init)
	b = appendNumber(b, `,"start":`, int64(f.Sandbox))
	b = appendText(b, `,"binding":`, f.Binding)
	b = appendTrue(b, `,"inFlow":`, f.InFlow)
	b = appendTrue(b, `,"conductor":`, f.Conductor)
	if len(b) == at {
		return append(b, "{}"...)
	}
	b[at] = '{' // in place of the first comma
	return append(b, '}')
}

func appendID(b []byte, id whisk.ActivationID) []byte {
	if id.IsZero() {
		return b
	}
	const digits = "0123456789abcdef"
	for _, c := range id {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return b
}

func appendInt(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

// appendNumber, appendText and appendTrue leave out zero values.
func appendNumber(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendInt(b, key, n)
}

func appendTrue(b []byte, key string, v bool) []byte {
	if !v {
		return b
	}
	return append(append(b, key...), "true"...)
}

func appendText(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(b, key, s)
}

func appendString(b []byte, key, s string) []byte {
	b = append(b, key...)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always encodes
			return append(b, text...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
