package process

import (
	"encoding/json"
	"slices"
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

// fixedContext is the part of runs' bodies that hardly changes from one run of
// a sandbox to the next, encoded.
type fixedContext struct {
	namespace, action, version, apiKey string
	head, tail                         []byte
}

func (f *fixedContext) use(in *sandbox.Run) {
	if f.head != nil && f.namespace == in.Namespace && f.action == in.Action && f.version == in.Version && f.apiKey == in.APIKey {
		return
	}
	f.namespace, f.action, f.version, f.apiKey = in.Namespace, in.Action, in.Version, in.APIKey
	b := appendString(append(f.head[:0], `,"namespace":`...), in.Namespace)
	b = appendString(append(b, `,"action_name":`...), in.Action)
	b = appendString(append(b, `,"action_version":`...), in.Version)
	f.head = append(b, `,"activation_id":"`...)
	f.tail = append(f.tail[:0], '"')
	if in.APIKey != "" {
		f.tail = appendString(append(f.tail, `,"api_key":`...), in.APIKey)
	}
	f.tail = append(f.tail, "}\n"...)
}

// appendRun appends the body of OpenWhisk's /run, as one line. id is the
// activation's as text.
func (f *fixedContext) appendRun(b []byte, in *sandbox.Run, id []byte, deadline time.Time) []byte {
	f.use(in)
	b = slices.Grow(b, len(in.Args)+len(f.head)+len(f.tail)+len(in.TransactionID)+128)
	b = append(b, `{"value":`...)
	if len(in.Args) == 0 {
		b = append(b, "{}"...)
	}
	b = appendOneLine(b, in.Args)
	b = append(append(b, f.head...), id...)
	b = appendString(append(b, `","transaction_id":`...), in.TransactionID)
	b = strconv.AppendInt(append(b, `,"deadline":"`...), deadline.UnixMilli(), 10)
	return append(b, f.tail...)
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
