package client

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// traceRequest shows a request. A trace that cannot be written is no reason to
// fail the call.
func (c *Client) traceRequest(req *http.Request, body []byte) {
	if c.cfg.Trace == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "REQUEST:\n[%s]\t%s\nReq Headers\n", req.Method, req.URL)
	headers(&b, req.Header)
	if body != nil {
		fmt.Fprintf(&b, "Req Body\n%s\n", c.cut(body))
	}
	_, _ = c.cfg.Trace.Write([]byte(b.String()))
}

func (c *Client) traceAnswer(a *answer) {
	if c.cfg.Trace == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "RESPONSE:\nGot response with code %d\nResp Headers\n", a.status)
	headers(&b, a.header)
	fmt.Fprintf(&b, "Response body size is %d bytes\nResponse body received:\n%s\n", len(a.body), c.cut(a.body))
	_, _ = c.cfg.Trace.Write([]byte(b.String()))
}

func headers(b *strings.Builder, h http.Header) {
	for _, k := range slices.Sorted(maps.Keys(h)) {
		v := strings.Join(h[k], ", ")
		if k == "Authorization" {
			v = "(hidden)"
		}
		fmt.Fprintf(b, "  %s: %s\n", k, v)
	}
}

// cut shows a body as far as it is to be shown. Feeds and API gateways are told
// the key in it.
func (c *Client) cut(body []byte) string {
	if key := c.cfg.Key.Key; key != "" {
		body = bytes.ReplaceAll(body, []byte(key), []byte("(hidden)"))
	}
	if n := c.cfg.TraceBody; n > 0 && len(body) > n {
		return string(body[:n]) + "..."
	}
	return string(body)
}
