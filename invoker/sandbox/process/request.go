package process

import (
	"encoding/json"
	"strconv"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// callContext is what every call carries for the user's code to see: key of /run's
// body, value; the same as __OW_KEY in the environment.
type callContext [7]struct{ key, env, value string }

func makeContext(id whisk.ActivationID, tid, action, version, namespace, apiKey string, deadline time.Time) callContext {
	return callContext{
		{"namespace", "__OW_NAMESPACE", namespace},
		{"action_name", "__OW_ACTION_NAME", action},
		{"action_version", "__OW_ACTION_VERSION", version},
		{"activation_id", "__OW_ACTIVATION_ID", id.String()},
		{"transaction_id", "__OW_TRANSACTION_ID", tid},
		{"deadline", "__OW_DEADLINE", strconv.FormatInt(deadline.UnixMilli(), 10)},
		{"api_key", "__OW_API_KEY", apiKey},
	}
}

func initContext(in *sandbox.Init, deadline time.Time) callContext {
	return makeContext(in.ID, in.TransactionID, in.Action, in.Version, in.Namespace, in.APIKey, deadline)
}

func runContext(in *sandbox.Run, deadline time.Time) callContext {
	return makeContext(in.ID, in.TransactionID, in.Action, in.Version, in.Namespace, in.APIKey, deadline)
}

// environment returns the context as variables; a key that was not given is
// not set.
func (c callContext) environment() map[string]string {
	m := make(map[string]string, len(c))
	for _, f := range c {
		if f.value != "" || f.env != "__OW_API_KEY" {
			m[f.env] = f.value
		}
	}
	return m
}

// runLine is the body of OpenWhisk's /run, as one line.
func runLine(c callContext, args json.RawMessage) []byte {
	b := make([]byte, 0, len(args)+512)
	b = append(b, `{"value":`...)
	if len(args) == 0 {
		b = append(b, "{}"...)
	}
	b = appendOneLine(b, args)
	for _, f := range c {
		if f.value == "" && f.key == "api_key" {
			continue
		}
		b = append(append(append(b, `,"`...), f.key...), `":`...)
		b = appendString(b, f.value)
	}
	return append(b, "}\n"...)
}

// initLine tells a launcher what to load.
func initLine(c callContext, main string, code userCode, env json.RawMessage) ([]byte, error) {
	own, err := json.Marshal(c.environment())
	if err != nil {
		return nil, err
	}
	line := struct {
		Init struct {
			Main   string `json:"main"`
			Folder string `json:"folder"`
			File   string `json:"file,omitempty"`
		} `json:"init"`
		ID  string          `json:"activation_id"`
		Env json.RawMessage `json:"env"`
	}{ID: c[3].value, Env: whisk.MergeObjects(env, own)}
	line.Init.Main, line.Init.Folder, line.Init.File = main, code.folder, code.file
	b, err := json.Marshal(line) // compact, so one line
	return append(b, '\n'), err
}

// appendOneLine appends valid JSON with its line ends made spaces; they only
// stand between tokens.
func appendOneLine(b, v []byte) []byte {
	n := len(b)
	b = append(b, v...)
	for i := n; i < len(b); i++ {
		if b[i] == '\n' || b[i] == '\r' {
			b[i] = ' '
		}
	}
	return b
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
