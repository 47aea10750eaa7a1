package wire

import (
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

// message is a message's payload on its way out: the beginning, whose parts
// have their lengths already, and the parts behind it.
type message struct {
	head []byte
	raw  [][]byte
}

// begin returns a message whose first part is the text of an error, if any.
func begin(err error) message {
	if err == nil {
		return message{head: appendPart(nil, nil)}
	}
	text := err.Error()
	if text == "" {
		text = "unknown error"
	}
	return message{head: appendPart(nil, []byte(text[:min(len(text), maxErrorText)]))}
}

// add adds a record, cut to what a message of nothing else could hold.
func (m *message) add(a *whisk.Activation, maxMessage int) {
	head, result, logs := appendRecord(nil, a, nil, maxMessage-len(m.head))
	m.raw = append(m.raw, head[4:], result, logs)
}

func encodeLookup(a answer, maxMessage int) message {
	m := begin(a.err)
	m.head = appendPart(m.head, []byte{byte(a.state)})
	if a.err == nil && a.state == whisk.FinishedCall && len(a.records) > 0 {
		m.add(a.records[0], maxMessage)
	}
	return m
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
		if rec, payload, err = nextRecord(payload, false, nil); err != nil {
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
func encodeUnacked(a answer, maxMessage int) message {
	m := begin(a.err)
	if a.err != nil {
		return m
	}
	size := 0
	for i, rec := range a.records {
		before := len(m.raw)
		m.add(rec, maxMessage)
		size += sizeOf(m.raw[before:])
		if i > 0 && size > maxMessage/4 {
			m.raw = m.raw[:before]
			break
		}
	}
	return m
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
		if rec, payload, err = nextRecord(payload, false, nil); err != nil {
			return answer{}, err
		}
		a.records = append(a.records, rec)
	}
	return a, nil
}
