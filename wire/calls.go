package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"hearth/whisk"
)

// Call hands the call over. An error means that it was not handed over.
// [whisk.Lost] answers one whose connection broke after it was written whole,
// [whisk.Busy] one whose connection broke before.
func (c *Client) Call(call *whisk.Call, reply func(whisk.Reply)) error {
	var err error
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
	p := &pending{call: call, number: c.number, reply: reply}
	c.calls[p.number], c.byID[call.ID] = p, p
	l.calls.Store(int32(len(c.calls)))
	c.mu.Unlock()

	// The mark is written under the link's lock, and read once it is closed.
	if err := l.sendCall(&p.at, p.number, call); err != nil {
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
func (c *Client) Go(id whisk.ActivationID) { c.tell(frameGo, id, nil) }

// Cancel drops a call that waits. No reply follows.
func (c *Client) Cancel(id whisk.ActivationID) { c.tell(frameCancel, id, nil) }

// Code answers NeedCode. The code must not change any more.
func (c *Client) Code(id whisk.ActivationID, code []byte) { c.tell(frameCode, id, code) }

// tell sends a message about a call that is under way; it ignores others.
func (c *Client) tell(typ frameType, id whisk.ActivationID, code []byte) {
	c.mu.Lock()
	l, p := c.link, c.byID[id]
	if p == nil || l == nil {
		c.mu.Unlock()
		return
	}
	if typ == frameCancel {
		c.forget(p)
	}
	c.mu.Unlock()
	var err error
	if typ == frameCode {
		err = l.send(typ, p.number, nil, code)
	} else {
		err = l.send(typ, p.number, nil)
	}
	switch {
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
	if err := l.send(frameCancel, p.number, nil); err != nil {
		l.shut(err)
	}
	p.reply(whisk.Reply{Kind: whisk.Busy})
}

// Ack says that the store has these records. Without a connection it is
// forgotten: the invoker will offer the records again.
func (c *Client) Ack(ids ...whisk.ActivationID) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l == nil {
		return
	}
	if err := l.ack(ids); err != nil {
		l.shut(err)
	}
}

// Lookup asks what the invoker knows of an id.
func (c *Client) Lookup(ctx context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	a, err := c.ask(ctx, frameLookup, &question{typ: frameLookupAnswer}, id[:])
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
	a, err := c.ask(ctx, frameUnacked, &question{typ: frameUnackedAnswer, limit: limit}, binary.BigEndian.AppendUint32(nil, uint32(max(limit, 0))))
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
	if err := l.send(typ, number, nil, part); err != nil {
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
