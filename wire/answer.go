package wire

import (
	"encoding/binary"
	"errors"

	"hearth/whisk"
)

// answer is what an invoker says to a lookup or an unacked question.
type answer struct {
	state   whisk.CallState
	records []*whisk.Activation
	err     error
}

// maxErrorText bounds the text of an invoker's error.
const maxErrorText = 4 << 10

func errorPart(err error) []byte {
	if err == nil {
		return nil
	}
	text := err.Error()
	if text == "" {
		text = "unknown error"
	}
	return []byte(text[:min(len(text), maxErrorText)])
}

func encodeLookup(a answer, maxMessage int) ([][]byte, error) {
	parts := [][]byte{errorPart(a.err), {byte(a.state)}}
	if a.err != nil || a.state != whisk.FinishedCall || len(a.records) == 0 {
		return parts, nil
	}
	return appendRecord(parts, a.records[0], maxMessage-sizeOf(parts))
}

func decodeLookup(payload []byte) (a answer, err error) {
	var text, state []byte
	if text, payload, err = nextPart(payload); err != nil {
		return a, err
	}
	if state, payload, err = nextPart(payload); err != nil {
		return a, err
	}
	if len(state) != 1 || state[0] > byte(whisk.FinishedCall) {
		return a, protocolError("call state %x", state)
	}
	if len(text) > 0 {
		return answer{err: errors.New(string(text[:min(len(text), maxErrorText)]))}, nil
	}
	a.state = whisk.CallState(state[0])
	if a.state == whisk.FinishedCall {
		var rec *whisk.Activation
		if rec, payload, err = nextRecord(payload, false); err != nil {
			return answer{}, err
		}
		a.records = append(a.records, rec)
	}
	if len(payload) > 0 {
		return answer{}, protocolError("%d bytes too many", len(payload))
	}
	return a, nil
}

// encodeUnacked takes as many of the records, from the first, as a quarter of
// the largest message holds, but one at least: fewer than asked for do not
// mean that there are no more.
func encodeUnacked(a answer, maxMessage int) ([][]byte, error) {
	parts := [][]byte{errorPart(a.err)}
	if a.err != nil {
		return parts, nil
	}
	size := 0
	for _, rec := range a.records {
		more, err := appendRecord(parts, rec, maxMessage-sizeOf(parts[:1]))
		if err != nil {
			return nil, err
		}
		size += sizeOf(more[len(parts):])
		if len(parts) > 1 && size > maxMessage/4 {
			break
		}
		parts = more
	}
	return parts, nil
}

// decodeUnacked reads at most limit records; more break the protocol.
func decodeUnacked(payload []byte, limit int) (a answer, err error) {
	var text []byte
	if text, payload, err = nextPart(payload); err != nil {
		return a, err
	}
	if len(text) > 0 {
		return answer{err: errors.New(string(text[:min(len(text), maxErrorText)]))}, nil
	}
	for len(payload) > 0 {
		if len(a.records) == limit {
			return answer{}, protocolError("more than the %d records asked for", limit)
		}
		var rec *whisk.Activation
		if rec, payload, err = nextRecord(payload, false); err != nil {
			return answer{}, err
		}
		a.records = append(a.records, rec)
	}
	return a, nil
}

func limitPart(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(max(n, 0))) }
