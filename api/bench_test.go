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

// sink is a response that nobody reads.
type sink struct {
	h      http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkInvoke is the handler's own share of a warm blocking invoke.
func BenchmarkInvoke(b *testing.B) {
	const payload = `{"name":"Hearth","place":"the mesh","n":12345678901234567890}`
	for _, c := range []struct{ name, body, query string }{
		{"plain", plainBody, "?blocking=true&result=false"},
		{"result", plainBody, "?blocking=true&result=true"},
		{"parameters", `{"exec":{"kind":"nodejs:20","code":"x"},"parameters":[{"key":"a","value":1},{"key":"b","value":"two"},{"key":"e","value":3,"init":true}]}`, "?blocking=true"},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b)
			w.mustPut("a", c.body)
			rec := &whisk.Activation{}
			w.invoke = func(_ context.Context, call *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
				ended()
				if rec.ID.IsZero() {
					rec = w.run(call, whisk.Response{Result: json.RawMessage(payload), Size: len(payload)})
				}
				return rec, nil
			}
			r := httptest.NewRequest("POST", "/api/v1/namespaces/_/actions/a"+c.query, nil)
			r.SetBasicAuth(aliceKey.UUID, aliceKey.Key)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "*/*")
			h := w.server.Handler()
			body := strings.NewReader(payload)
			out := &sink{h: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(payload)
				r.Body, r.ContentLength = io.NopCloser(body), int64(len(payload))
				h.ServeHTTP(out, r)
				if out.status != http.StatusOK {
					b.Fatalf("status %d", out.status)
				}
			}
		})
	}
}
