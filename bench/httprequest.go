package bench

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// requestFields returns a request from behind its path to the length of its
// payload.
func requestFields(cfg HTTPConfig, host string) ([]byte, error) {
	if !isToken(cfg.Method) {
		return nil, fmt.Errorf("target: the method %q is malformed", cfg.Method)
	}
	fields := [][2]string{{"Host", host}, {"User-Agent", "hearth-bench"}}
	if cfg.User != "" {
		fields = append(fields, [2]string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(cfg.User+":"+cfg.Password))})
	}
	if cfg.Body != nil && !slices.ContainsFunc(keys(cfg.Header), func(k string) bool { return strings.EqualFold(k, "Content-Type") }) {
		fields = append(fields, [2]string{"Content-Type", "application/json"})
	}
	for _, k := range keys(cfg.Header) {
		switch strings.ToLower(k) {
		case "content-length", "transfer-encoding", "connection", "expect", "upgrade":
			return nil, fmt.Errorf("target: the header field %q is not for callers to set", k)
		case "host":
			fields[0][1] = cfg.Header[k]
		default:
			fields = append(fields, [2]string{k, cfg.Header[k]})
		}
	}
	b := []byte(" HTTP/1.1\r\n")
	for _, f := range fields {
		if !isToken(f[0]) || strings.ContainsAny(f[1], "\r\n\x00") {
			return nil, fmt.Errorf("target: the header field %q is malformed", f[0])
		}
		b = append(b, f[0]+": "+f[1]+"\r\n"...)
	}
	return b, nil
}

func keys(m map[string]string) []string {
	v := make([]string, 0, len(m))
	for k := range m {
		v = append(v, k)
	}
	slices.Sort(v)
	return v
}

// isToken reports whether a name can stand in a header.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
