package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

// BenchmarkWeb is the handler's own share of a warm web action.
func BenchmarkWeb(b *testing.B) {
	const payload = `{"name":"Hearth","place":"the mesh","n":12345678901234567890}`
	for _, c := range []struct{ name, method, target, result string }{
		{"json", "POST", webURL + ".json", payload},
		{"http", "GET", webURL + "/path?name=Hearth", `{"statusCode":200,"headers":{"x-a":"b"},"body":"<html>"}`},
		{"route", "GET", "/api/alice/base/books/7", `{"body":{"a":1}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := webWorld(b, "")
			w.create("&responsetype=http", createBody("/base", "/books/{id}", "GET", "web", pathParameters("id")))
			rec := &whisk.Activation{}
			w.invoke = func(_ context.Context, call *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
				ended()
				if rec.ID.IsZero() {
					rec = w.run(call, whisk.Response{Result: json.RawMessage(c.result)})
				}
				return rec, nil
			}
			r := httptest.NewRequest(c.method, c.target, nil)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "*/*")
			h := w.server.Handler()
			body := strings.NewReader(payload)
			out := &sink{h: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				if c.method == "POST" {
					body.Reset(payload)
					r.Body, r.ContentLength = io.NopCloser(body), int64(len(payload))
				}
				h.ServeHTTP(out, r)
				if out.status != http.StatusOK {
					b.Fatalf("status %d", out.status)
				}
			}
		})
	}
}
