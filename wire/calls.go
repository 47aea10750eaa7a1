package wire

import (
	"context"
	"errors"
	"fmt"

	"hearth/whisk"
)

// Call hands the call over. An error means that it was not handed over.
// [whisk.Lost] answers one whose connection broke after it was written whole,
// [whisk.Busy] one whose connection broke before.
func (c *Client) Call(call *whisk.Call, reply func(whisk.Reply)) error {
	parts, err := encodeCall(call)
	if err != nil {
		return fmt.Errorf("wire: encode call %v: %w", call.ID, err)
	}
	c.mu.Lock()
	l := c.link
	switch {
	case l == nil:
		err = ErrDown
	case len(c.calls) >= c.cfg.MaxCalls:
		err = ErrFull
	case c.byID[call.ID] != nil:
		err = fmt.Errorf("wire: call %v is already there", call.ID)
	}
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.number++
	p := &pending{id: call.ID, number: c.number, reply: reply}
	c.calls[p.number], c.byID[p.id] = p, p
	c.mu.Unlock()

	// The mark is written under the link's lock, and read once it is closed.
	if err := l.sendMarked(&p.at, frameCall, p.number, parts...); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.calls[p.number] != p {
			return nil // the connection is gone, and the call is answered
		}
		c.forget(p)
		return fmt.Errorf("wire: call %v: %w", call.ID, err)
	}
	c.m.calls.Inc()
	return nil
}

// Go starts a Ready call.
func (c *Client) Go(id whisk.ActivationID) { c.tell(frameGo, id, false) }

// Cancel drops a call that waits. No reply follows.
func (c *Client) Cancel(id whisk.ActivationID) { c.tell(frameCancel, id, true) }

// Code answers NeedCode. The code must not change any more.
func (c *Client) Code(id whisk.ActivationID, code []byte) { c.tell(frameCode, id, false, code) }

// tell sends a message about a call that is under way; it ignores others.
func (c *Client) tell(typ frameType, id whisk.ActivationID, end bool, parts ...[]byte) {
	c.mu.Lock()
	l, p := c.link, c.byID[id]
	if p == nil || l == nil {
		c.mu.Unlock()
		return
	}
	if end {
		c.forget(p)
	}
	c.mu.Unlock()
	switch err := l.send(typ, p.number, parts...); {
	case err == nil:
	case typ == frameCode && (errors.Is(err, errTooLarge) || errors.Is(err, errSlow) && l.reason() == nil):
		// Beyond what a message or the queue can hold: no reason to break off
		// what others do.
		c.log.Error("call dropped", "activation", id, "err", err)
		c.drop(l, p)
	default:
		l.shut(err) // what cannot be told would leave the call hanging
	}
}

// drop cancels a call and answers it with Busy, unless it has ended by now.
func (c *Client) drop(l *link, p *pending) {
	c.mu.Lock()
	mine := c.calls[p.number] == p
	if mine {
		c.forget(p)
	}
	c.mu.Unlock()
	if !mine {
		return
	}
	if err := l.send(frameCancel, p.number); err != nil {
		l.shut(err)
	}
	p.reply(whisk.Reply{Kind: whisk.Busy})
}

// idsPerAck bounds the ids in one message.
const idsPerAck = 1024

// Ack says that the store has these records. Without a connection it is
// forgotten: the invoker will offer the records again.
func (c *Client) Ack(ids ...whisk.ActivationID) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	for l != nil && len(ids) > 0 {
		n := min(len(ids), idsPerAck)
		if err := l.send(frameAck, 0, encodeIDs(ids[:n])); err != nil {
			l.shut(err)
			return
		}
		ids = ids[n:]
	}
}

// Lookup asks what the invoker knows of an id.
func (c *Client) Lookup(ctx context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	a, err := c.ask(ctx, frameLookup, &question{typ: frameLookupAnswer}, encodeIDs([]whisk.ActivationID{id}))
	if err != nil {
		return whisk.UnknownCall, nil, fmt.Errorf("wire: look up %v: %w", id, err)
	}
	if a.state != whisk.FinishedCall {
		return a.state, nil, nil
	}
	return a.state, a.records[0], nil
}

// Unacked asks for up to limit finished records that nobody acknowledged.
// Fewer do not mean that there are no more: a message has its bound too.
func (c *Client) Unacked(ctx context.Context, limit int) ([]*whisk.Activation, error) {
	a, err := c.ask(ctx, frameUnacked, &question{typ: frameUnackedAnswer, limit: limit}, limitPart(limit))
	if err != nil {
		return nil, fmt.Errorf("wire: unacknowledged records: %w", err)
	}
	return a.records, nil
}

func (c *Client) ask(ctx context.Context, typ frameType, q *question, part []byte) (answer, error) {
	q.got = make(chan answer, 1)
	c.mu.Lock()
	l := c.link
	if l == nil || len(c.asked) >= maxQuestions {
		c.mu.Unlock()
		if l == nil {
			return answer{}, ErrDown
		}
		return answer{}, ErrFull
	}
	c.number++
	number := c.number
	c.asked[number] = q
	c.mu.Unlock()
	if err := l.send(typ, number, part); err != nil {
		l.shut(err) // then the question is answered with ErrDown
	}
	select {
	case a := <-q.got:
		return a, a.err
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.asked, number)
		c.mu.Unlock()
		return answer{}, context.Cause(ctx)
	}
}
