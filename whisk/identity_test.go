package whisk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestAuthKeyStaysHidden prints and encodes a key in every way that could put
// it into a log.
func TestAuthKeyStaysHidden(t *testing.T) {
	k := AuthKey{UUID: "u", Key: "secret"}
	holder := struct {
		K AuthKey
		P *AuthKey
	}{k, &k}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", k, &k, holder)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("m", "key", k, "pointer", &k, "holder", holder, "list", []AuthKey{k}, slog.Group("g", "key", k))
	}
	b, err := json.Marshal([]any{k, &k, holder, map[AuthKey]int{k: 1}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if got := out.String(); strings.Contains(got, "secret") || strings.Contains(got, fmt.Sprintf("%x", "secret")) {
		t.Errorf("the key shows:\n%s", got)
	}
	if k.Compact() != "u:secret" {
		t.Errorf("Compact = %s", k.Compact())
	}
	var back AuthKey
	if json.Unmarshal([]byte(`"u:secret"`), &back) == nil || back != (AuthKey{}) {
		t.Errorf("a key was read from JSON: %v", back)
	}
}
