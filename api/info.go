package api

import (
	"encoding/json"
	"net/http"

	"hearth/whisk"
)

// serverInfo is the document at GET /, by which clients learn what the
// platform can do. Memory and logs are in bytes here, elsewhere in MB.
type serverInfo struct {
	Description string                     `json:"description"`
	Support     map[string]string          `json:"support"`
	APIPaths    []string                   `json:"api_paths"`
	Limits      map[string]int64           `json:"limits"`
	Runtimes    map[string][]whisk.Runtime `json:"runtimes"`
}

const mega = 1 << 20

// info answers GET /.
func (s *Server) info(q *request) (reply, error) {
	if err := getJSON(q); err != nil {
		return reply{}, err
	}
	l := &s.cfg.Limits
	limits := map[string]int64{
		"actions_per_minute": l.InvocationsPerMinute, "triggers_per_minute": l.FiresPerMinute,
		"concurrent_actions": l.ConcurrentInvocations, "sequence_length": int64(l.SequenceLength),
	}
	for name, r := range map[string]whisk.Range{
		"duration": l.Timeout,
		"memory":   {Min: l.Memory.Min * mega, Max: l.Memory.Max * mega},
		"logs":     {Min: l.Logs.Min * mega, Max: l.Logs.Max * mega},
	} {
		// What a namespace gets by default, and what it can get: here the same.
		limits["default_min_action_"+name], limits["min_action_"+name] = r.Min, r.Min
		limits["default_max_action_"+name], limits["max_action_"+name] = r.Max, r.Max
	}
	b, err := json.Marshal(serverInfo{
		Description: "OpenWhisk",
		Support:     map[string]string{"github": "https://github.com/apache/openwhisk/issues", "slack": "http://slack.openwhisk.org"},
		APIPaths:    []string{root},
		Limits:      limits,
		Runtimes:    s.deps.Runtimes().Families(),
	})
	if err != nil {
		return reply{}, err
	}
	return ok(b)
}

// version answers GET /api/v1.
func (s *Server) version(q *request) (reply, error) {
	if err := getJSON(q); err != nil {
		return reply{}, err
	}
	b := []byte{'{'}
	b = appendText(b, "description", "OpenWhisk API")
	b = appendText(b, "api_version", "1.0.0")
	b = appendText(b, "api_version_path", "v1")
	b = appendText(b, "build", s.cfg.Build)
	b = appendText(b, "buildno", s.cfg.BuildNo)
	b = append(appendKey(b, "swagger_paths"), `{"ui":"/docs","api-docs":"/api-docs"}}`...)
	return ok(b)
}

// getJSON lets through only a GET whose client takes JSON.
func getJSON(q *request) error {
	if err := q.only(http.MethodGet); err != nil {
		return err
	}
	return checkAccept(q.Header, jsonType)
}
