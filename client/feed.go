package client

import (
	"context"
	"encoding/json"
	"strings"

	"hearth/whisk"
)

// The events of a trigger's life that its feed is told of.
const (
	FeedCreate = "CREATE"
	FeedRead   = "READ"
	FeedUpdate = "UPDATE"
	FeedDelete = "DELETE"
)

// TellFeed invokes a feed's action for a trigger and waits for its end. The
// feed gets params and, so that it can fire the trigger, the client's key.
func (c *Client) TellFeed(ctx context.Context, feed whisk.ActionName, event string, trigger whisk.EntityName, params whisk.Parameters) (*Invocation, error) {
	for _, p := range [][2]string{{"lifecycleEvent", event}, {"triggerName", trigger.String()}, {"authKey", c.cfg.Key.UUID + ":" + c.cfg.Key.Key}} {
		v, err := encode(p[1])
		if err != nil {
			return nil, err
		}
		params = params.Set(p[0], v[:len(v)-1])
	}
	return c.Invoke(ctx, feed, params.Arguments(), InvokeOptions{Blocking: true})
}

// Failure returns the error in the record of a failed activation, in words.
func (i *Invocation) Failure() string {
	var record struct {
		Response struct {
			Result struct {
				Error json.RawMessage `json:"error"`
			} `json:"result"`
		} `json:"response"`
	}
	if json.Unmarshal(i.Body, &record) != nil {
		return ""
	}
	raw := record.Response.Result.Error
	var texts struct{ Error, Message json.RawMessage }
	if json.Unmarshal(raw, &texts) != nil || texts.Error == nil && texts.Message == nil {
		return text(raw)
	}
	var parts []string
	for _, t := range []json.RawMessage{texts.Error, texts.Message} {
		if t != nil {
			parts = append(parts, text(t))
		}
	}
	return strings.Join(parts, "; ")
}
