package wire

import "hearth/whisk"

// handle acts on one message from the invoker.
func (c *Client) handle(l *link, f frame, pongs *pulse) error {
	switch f.typ {
	case framePing:
		return l.send(framePong, 0, nil)
	case framePong:
		pongs.beat()
		return nil
	case frameReply:
		return c.replied(f)
	case frameLookupAnswer, frameUnackedAnswer:
		return c.answered(f)
	}
	return protocolError("an invoker sent a message of type %d", f.typ)
}

func (c *Client) replied(f frame) error {
	c.mu.Lock()
	p := c.calls[f.number]
	c.mu.Unlock()
	if p == nil {
		return nil // it was cancelled
	}
	rep, err := decodeReply(f.payload, f.large, p.call)
	if err != nil {
		return err
	}
	if rep.Kind == whisk.Done || rep.Kind == whisk.Busy {
		c.mu.Lock()
		mine := c.calls[f.number] == p
		if mine {
			c.forget(p)
		}
		c.mu.Unlock()
		if !mine {
			return nil // in between
		}
	}
	p.reply(rep)
	return nil
}

// forget drops a pending call; under the lock.
func (c *Client) forget(p *pending) {
	delete(c.calls, p.number)
	if c.link != nil {
		c.link.calls.Store(int32(len(c.calls)))
	}
	delete(c.byID, p.call.ID)
}

func (c *Client) answered(f frame) error {
	c.mu.Lock()
	q := c.asked[f.number]
	delete(c.asked, f.number)
	c.mu.Unlock()
	if q == nil {
		return nil // nobody waits any more
	}
	if q.typ != f.typ {
		q.got <- answer{err: ErrDown}
		return protocolError("an answer of type %d to another question", f.typ)
	}
	var a answer
	var err error
	if f.typ == frameLookupAnswer {
		a, err = decodeLookup(f.payload)
	} else {
		a, err = decodeUnacked(f.payload, q.limit)
	}
	if err != nil {
		a = answer{err: err}
	}
	q.got <- a
	return err
}
