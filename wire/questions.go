package wire

import (
	"context"
	"encoding/binary"
	"errors"

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
	return ss.ask(frameLookupAnswer, f.number, func() ([][]byte, error) {
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
	return ss.ask(frameUnackedAnswer, f.number, func() ([][]byte, error) {
		recs, err := ss.s.invoker.Unacked(ctx, limit)
		return encodeUnacked(answer{records: recs, err: err}, ss.s.cfg.MaxMessage)
	})
}

// ask answers a question from a goroutine of its own.
func (ss *session) ask(typ frameType, number uint64, f func() ([][]byte, error)) error {
	select {
	case ss.asked <- struct{}{}:
	default:
		return protocolError("more than %d questions at once", maxQuestions)
	}
	ss.slow.Go(func() {
		defer func() { <-ss.asked }()
		parts, err := f()
		if err == nil {
			err = ss.l.send(typ, number, parts...)
		}
		if err != nil {
			ss.l.shut(err)
		}
	})
	return nil
}
