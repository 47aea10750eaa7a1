package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// The events of a trigger's life that its feed is told of.
const (
	feedCreate = "CREATE"
	feedRead   = "READ"
	feedUpdate = "UPDATE"
	feedDelete = "DELETE"
)

// feedAction reads the name of the action behind a feed.
func feedAction(name string) (entityName, error) { return parseActionName(name) }

// tellFeed invokes a feed's action for a trigger and waits. params are the
// feed's own. On an error it has printed what the action answered, if anything.
func (s *session) tellFeed(ctx context.Context, feed entityName, event string, trigger whisk.EntityName, params whisk.Parameters) (*client.Invocation, error) {
	for _, p := range [][2]string{{"lifecycleEvent", event}, {"triggerName", trigger.String()}, {"authKey", s.account.auth}} {
		v, err := marshalPlain(p[1])
		if err != nil {
			return nil, err
		}
		params = params.Set(p[0], v)
	}
	inv, err := s.Invoke(ctx, feed.action(), params.Arguments(), client.InvokeOptions{Blocking: true})
	switch {
	case err != nil:
		return nil, err
	case inv.Outcome == client.Accepted:
		s.err.printf("ok: invoked %s, but the request has not yet finished, with id %s\n", feed, inv.ID)
		return nil, &exitError{code: exitUnended, err: errors.New("Request accepted, but processing not completed yet.")} //nolint:staticcheck // wsk's text
	case inv.Outcome == client.Failed:
		s.err.json(sortKeys(inv.Body))
		return nil, &exitError{code: exitFailed, err: &feedError{message: failureText(inv.Body)}}
	}
	return inv, nil
}

// feedError is what a feed's action answered instead of doing what it was told.
type feedError struct{ message string }

func (e *feedError) Error() string {
	return "The following application error was received: " + e.message
}

// failureText returns the error in the record of a failed activation.
func failureText(record json.RawMessage) string {
	var r struct {
		Response struct {
			Result struct {
				Error json.RawMessage `json:"error"`
			} `json:"result"`
		} `json:"response"`
	}
	if json.Unmarshal(record, &r) != nil {
		return "unknown"
	}
	raw := r.Response.Result.Error
	var texts map[string]json.RawMessage
	if json.Unmarshal(raw, &texts) == nil {
		var parts []string
		for _, key := range []string{"error", "message"} {
			if v, ok := texts[key]; ok {
				parts = append(parts, stringOr(v))
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, "; ")
		}
	}
	return stringOr(raw)
}

// stringOr returns a JSON string's content, or the text of another value.
func stringOr(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
