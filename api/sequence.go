package api

import (
	"errors"

	"hearth/whisk"
)

// sequenceParameters are those of every sequence; whatever else is sent for one
// has no effect.
func sequenceParameters(components []whisk.ActionName) whisk.Parameters {
	return whisk.Parameters{{Key: "_actions", Value: appendComponents(nil, components)}}
}

// appendComponents appends the array of a sequence's components.
func appendComponents(b []byte, components []whisk.ActionName) []byte {
	b = append(b, '[')
	for i, c := range components {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, c.String())
	}
	return append(b, ']')
}

var (
	errSequenceLength = whisk.Errorf(whisk.BadRequest, "Too many actions in the sequence.")
	errSequenceEmpty  = whisk.Errorf(whisk.BadRequest, "No component specified for the sequence.")
	errSequenceCycle  = whisk.Errorf(whisk.BadRequest, "Sequence may not refer to itself.")
	errSequenceLacks  = whisk.Errorf(whisk.BadRequest, "Sequence component does not exist.")
)

// checkSequence returns nil if the action of that name may become a sequence of
// the components: if all of them exist, also within sequences among them, none
// is the sequence itself, and with all of those written out it is not too long.
func (s *Server) checkSequence(q *request, name whisk.ActionName, components []whisk.ActionName) error {
	if len(components) == 0 {
		return errSequenceEmpty
	}
	c := sequenceCount{s: s, q: q, limit: q.limits.SequenceLength, known: map[whisk.ActionName]int{name: counting}}
	_, err := c.count(components)
	return err
}

// sequenceCount counts the atomic actions of sequences.
type sequenceCount struct {
	s     *Server
	q     *request
	limit int
	known map[whisk.ActionName]int // of each sequence
}

const (
	counting = -1 // in place of a count: whoever meets this has come round in a circle

	// maxInlined bounds the sequences that are looked at: they may be nested as
	// deep as one likes.
	maxInlined = 200
)

func (c *sequenceCount) count(components []whisk.ActionName) (int, error) {
	total := 0
	for _, name := range components {
		n, err := c.countOne(name)
		if err != nil {
			return 0, err
		}
		if total += n; total > c.limit {
			return 0, errSequenceLength
		}
	}
	return total, nil
}

func (c *sequenceCount) countOne(name whisk.ActionName) (int, error) {
	// The new sequence need not exist yet, and it is never behind a binding.
	if c.known[name] == counting {
		return 0, errSequenceCycle
	}
	r, err := c.s.deps.Entities.Resolve(c.q.Context(), name)
	switch {
	case errors.Is(err, whisk.ErrNotFound):
		return 0, errSequenceLacks
	case err != nil:
		return 0, err
	case c.known[r.Action.Name] == counting:
		return 0, errSequenceCycle
	case r.Action.Exec.Kind != whisk.Sequence:
		return 1, nil
	}
	name = r.Action.Name
	if n, ok := c.known[name]; ok {
		return n, nil
	}
	if len(c.known) > maxInlined {
		return 0, errSequenceLength
	}
	c.known[name] = counting
	n, err := c.count(r.Action.Exec.Components)
	c.known[name] = n
	return n, err
}
