package journal

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"hearth/whisk"
)

// appendHead appends a record without its result as encoding/json would write
// it, which reads it. Reflection would cost more than all else in an Append.
func appendHead(b []byte, a *whisk.Activation) []byte {
	b = appendID(append(b, `{"activationId":`...), a.ID)
	b = appendString(append(b, `,"namespace":`...), string(a.Namespace))
	b = appendString(append(b, `,"name":`...), a.Name)
	b = appendNonEmpty(b, `,"package":`, a.Package)
	b = appendVersion(append(b, `,"version":`...), a.Version)
	b = appendString(append(b, `,"subject":`...), a.Subject)
	b = strconv.AppendInt(append(b, `,"start":`...), a.Start, 10)
	b = appendNonZero(b, `,"end":`, a.End)
	b = strconv.AppendInt(append(b, `,"duration":`...), a.Duration, 10)
	if !a.Cause.IsZero() {
		b = appendID(append(b, `,"cause":`...), a.Cause)
	}
	b = strconv.AppendUint(append(b, `,"response":{"statusCode":`...), uint64(a.Response.Status), 10)
	b = append(appendNonZero(b, `,"size":`, int64(a.Response.Size)), '}')
	for i, l := range a.Logs {
		if i == 0 {
			b = append(b, `,"logs":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendString(b, l)
	}
	if len(a.Logs) > 0 {
		b = append(b, ']')
	}
	b = appendFacts(append(b, `,"facts":{`...), &a.Facts)
	b = append(b, '}')
	b = appendTrue(b, `,"unstored":`, a.Unstored)
	b = appendNonZero(b, `,"attempt":`, int64(a.Attempt))
	b = appendNonZero(b, `,"again":`, a.Again)
	return append(appendTrue(b, `,"dead":`, a.Dead), '}')
}

func appendFacts(b []byte, f *whisk.Facts) []byte {
	at := len(b)
	b = appendNonEmpty(b, `,"path":`, f.Path)
	b = appendNonEmpty(b, `,"kind":`, f.Kind)
	if l := f.Limits; l != nil {
		b = strconv.AppendInt(append(b, `,"limits":{"timeout":`...), l.Timeout, 10)
		b = strconv.AppendInt(append(b, `,"memory":`...), l.Memory, 10)
		b = strconv.AppendInt(append(b, `,"logs":`...), l.Logs, 10)
		b = append(strconv.AppendInt(append(b, `,"concurrency":`...), l.Concurrency, 10), '}')
	}
	b = appendTrue(b, `,"timeout":`, f.TimedOut)
	b = appendNonZero(b, `,"waitTime":`, f.Wait)
	b = appendNonZero(b, `,"initTime":`, f.Init)
	b = appendNonZero(b, `,"start":`, int64(f.Sandbox))
	b = appendNonEmpty(b, `,"binding":`, f.Binding)
	b = appendTrue(b, `,"inFlow":`, f.InFlow)
	b = appendTrue(b, `,"conductor":`, f.Conductor)
	if len(b) > at {
		b = append(b[:at], b[at+1:]...) // the first has no comma before it
	}
	return b
}

func appendID(b []byte, id whisk.ActivationID) []byte {
	b = append(b, '"')
	if !id.IsZero() {
		b = hex.AppendEncode(b, id[:])
	}
	return append(b, '"')
}

func appendVersion(b []byte, v whisk.Version) []byte {
	b = append(b, '"')
	if v != (whisk.Version{}) {
		b = append(strconv.AppendUint(b, uint64(v.Major), 10), '.')
		b = append(strconv.AppendUint(b, uint64(v.Minor), 10), '.')
		b = strconv.AppendUint(b, uint64(v.Patch), 10)
	}
	return append(b, '"')
}

func appendNonEmpty(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return appendString(append(b, key...), s)
}

func appendNonZero(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, key...), n, 10)
}

func appendTrue(b []byte, key string, v bool) []byte {
	if !v {
		return b
	}
	return append(append(b, key...), "true"...)
}

// appendString appends s as a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			q, _ := json.Marshal(s) // a string always encodes
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
