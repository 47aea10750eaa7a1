package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestDocs: each path and method that the description names leads somewhere, and
// each definition that it refers to is there.
func TestDocs(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/api/v1/api-docs", "/api-docs"} {
		a := w.do("GET", target, "", anonymous)
		if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s = %d %.100s", target, a.status, a.body)
		}
		var doc struct {
			Swagger, BasePath string
			Paths             map[string]map[string]struct {
				Parameters []struct{ Name, In string }
			}
			Definitions map[string]any
		}
		if err := json.Unmarshal([]byte(a.body), &doc); err != nil || doc.Swagger != "2.0" {
			t.Fatalf("%s: %v", target, err)
		}
		for _, part := range strings.Split(a.body, `"#/definitions/`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			if doc.Definitions[name] == nil {
				t.Errorf("%s: definition %s is missing", target, name)
			}
		}
		for path, methods := range doc.Paths {
			for method, op := range methods {
				at := strings.TrimSuffix(doc.BasePath, "/") + path
				for _, p := range op.Parameters {
					if p.In == "path" {
						value := map[string]string{"namespace": "_", "activationid": anID}[p.Name]
						if value == "" {
							value = "x"
						}
						at = strings.Replace(at, "{"+p.Name+"}", value, 1)
					}
				}
				a := w.do(strings.ToUpper(method), at, "")
				if strings.Contains(at, "{") || a.status == 405 || a.status == 404 && a.text(t) == errNoRoute.Message {
					t.Errorf("%s %s of %s = %d %s", method, at, target, a.status, a.body)
				}
			}
		}
	}
	if a := w.do("POST", "/api-docs", ""); a.status != 405 {
		t.Errorf("POST = %d", a.status)
	}
}
