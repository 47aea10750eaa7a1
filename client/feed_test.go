package client

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"hearth/whisk"
)

func TestTellFeed(t *testing.T) {
	var asked string
	var trace bytes.Buffer
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.RequestURI() + " " + string(b)
		w.WriteHeader(502)
		_, _ = io.WriteString(w, `{"activationId":"i","response":{"result":{"error":"no, `+testKey.Key+`"}}}`)
	}, func(c *Config) { c.Trace = &trace })
	given := whisk.Parameters{{Key: "cron", Value: json.RawMessage("1")}, {Key: "authKey", Value: json.RawMessage("2")}}
	inv, err := c.TellFeed(t.Context(), whisk.ActionName{Namespace: "n", Package: "p", Name: "f"}, FeedCreate, whisk.EntityName{Namespace: "_", Name: "t"}, given)
	if err != nil || inv.Outcome != Failed || inv.Failure() != "no, "+testKey.Key {
		t.Errorf("got %+v, %v", inv, err)
	}
	want := `POST /api/v1/namespaces/n/actions/p/f?blocking=true&result=false {"cron":1,"authKey":"user:secret-key","lifecycleEvent":"CREATE","triggerName":"/_/t"}`
	if asked != want {
		t.Errorf("asked %s\n want %s", asked, want)
	}
	if got := trace.String(); strings.Contains(got, testKey.Key) || strings.Count(got, "(hidden)") != 3 {
		t.Errorf("the trace says too much:\n%s", got)
	}
}

func TestFailure(t *testing.T) {
	for _, tt := range []struct{ result, want string }{
		{`{"error":"text"}`, "text"},
		{`{"error":{"error":"a","message":"b"}}`, "a; b"},
		{`{"error":{"message":{"x":1}}}`, `{"x":1}`},
		{`{"error":{"other":1}}`, `{"other":1}`},
		{`{"error":7}`, "7"},
		{`{}`, ""},
		{`[]`, ""},
	} {
		inv := Invocation{Body: json.RawMessage(`{"response":{"result":` + tt.result + `}}`)}
		if got := inv.Failure(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.result, got, tt.want)
		}
	}
}
