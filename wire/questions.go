package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"hearth/whisk"
)

func (ss *session) ack(payload []byte) error {
	var b []byte
	if err := splitParts(payload, &b); err != nil {
		return err
	}
	ids, err := decodeIDs(b)
	if err == nil && len(ids) > 0 {
		ss.s.invoker.Ack(ids...)
	}
	return err
}

func (ss *session) lookup(ctx context.Context, f frame) error {
	var b []byte
	if err := splitParts(f.payload, &b); err != nil {
		return err
	}
	ids, err := decodeIDs(b)
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return protocolError("a lookup of %d ids", len(ids))
	}
	return ss.ask(ctx, frameLookupAnswer, f.number, func(ctx context.Context) message {
		state, rec, err := ss.s.invoker.Lookup(ctx, ids[0])
		a := answer{state: state, err: err}
		if rec != nil {
			a.records = []*whisk.Activation{rec}
		} else if state == whisk.FinishedCall && err == nil {
			a.err = errors.New("the record of a finished call is missing")
		}
		return encodeLookup(a, ss.s.cfg.MaxMessage)
	})
}

// maxUnacked bounds the records that one question may ask for.
const maxUnacked = 4096

func (ss *session) unacked(ctx context.Context, f frame) error {
	var b []byte
	if err := splitParts(f.payload, &b); err != nil {
		return err
	}
	if len(b) != 4 {
		return protocolError("a limit of %d bytes", len(b))
	}
	limit := int(min(binary.BigEndian.Uint32(b), maxUnacked))
	return ss.ask(ctx, frameUnackedAnswer, f.number, func(ctx context.Context) message {
		recs, err := ss.s.invoker.Unacked(ctx, limit)
		return encodeUnacked(answer{records: recs, err: err}, ss.s.cfg.MaxMessage)
	})
}

// questionTime bounds the invoker's work on one question.
const questionTime = 30 * time.Second

// ask answers a question from a goroutine of its own, or refuses it if too
// many are under way.
func (ss *session) ask(ctx context.Context, typ frameType, number uint64, f func(context.Context) message) error {
	select {
	case ss.asked <- struct{}{}:
	default:
		a := answer{err: errors.New("too many questions at once")}
		m := encodeUnacked(a, ss.s.cfg.MaxMessage)
		if typ == frameLookupAnswer {
			m = encodeLookup(a, ss.s.cfg.MaxMessage)
		}
		return ss.l.send(typ, number, m.head, m.raw...)
	}
	ss.slow.Go(func() {
		defer func() { <-ss.asked }()
		ctx, cancel := context.WithTimeout(ctx, questionTime)
		defer cancel()
		m := f(ctx)
		if err := ss.l.send(typ, number, m.head, m.raw...); err != nil {
			ss.l.shut(err)
		}
	})
	return nil
}
