package main

import (
	"context"
	"errors"
	"fmt"

	"hearth/client"
	"hearth/whisk"
)

// tellFeed tells a trigger's feed of an event. An error comes after what the
// feed's action answered, if anything, has been printed.
func (s *session) tellFeed(ctx context.Context, feed entityName, event string, trigger whisk.EntityName, params whisk.Parameters) (*client.Invocation, error) {
	inv, err := s.TellFeed(ctx, feed.action(), event, trigger, params)
	switch {
	case err != nil:
		return nil, err
	case inv.Outcome == client.Accepted:
		s.err.printf("ok: invoked %s, but the request has not yet finished, with id %s\n", feed, inv.ID)
		return nil, &exitError{code: exitUnended, err: errors.New("Request accepted, but processing not completed yet.")} //nolint:staticcheck // wsk's text
	case inv.Outcome == client.Failed:
		s.err.json(sortKeys(inv.Body))
		return nil, &exitError{code: exitFailed, err: fmt.Errorf("The following application error was received: %s", inv.Failure())} //nolint:staticcheck // wsk's text
	}
	return inv, nil
}
