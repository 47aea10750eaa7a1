package store

import (
	"context"
	"errors"

	"hearth/whisk"
)

// Dumper is an [Engine] that can be copied whole into another. What is lost on
// the way is what cannot matter there: who holds queued rows, the age of code,
// and the text of the change log.
type Dumper interface {
	// Dump gives all that the engine holds, as it is at one moment, to the sink.
	// Others may go on with it.
	Dump(context.Context, Sink) error
	// Load puts what next returns, until that is [io.EOF], into an engine that
	// holds nothing ([ErrNotEmpty]). Either all of it is there then, or nothing.
	Load(ctx context.Context, next func() (Item, error)) error
}

// ErrNotEmpty says that a database holds something already.
var ErrNotEmpty = errors.New("the database is not empty")

// Sink takes what is dumped. Its functions must not use the engine; an error of
// theirs ends the dump.
type Sink struct {
	// Item is given one thing after the other, rows of the queue in their order.
	// Nothing that it points to changes afterwards.
	Item func(Item) error
	// Damaged is told of what is left out as it is not what was stored. If it is
	// nil nothing is left out: the dump fails.
	Damaged func(error) error
}

// Item is one thing that an engine holds: the field that is set.
type Item struct {
	Doc        *Doc
	Credential *Credential
	Limits     *LimitsItem
	Note       *NoteItem
	Code       *CodeItem
	Record     *whisk.Activation
	Row        *QueueRow // in any state; Seq and Holder do not count
	Dead       *DeadLetter
	Alarm      *whisk.Alarm
	Term       *TermItem
	Changes    int64 // the number of the last change, if there was one
}

// LimitsItem is the limits of a namespace.
type LimitsItem struct {
	Namespace whisk.Namespace
	Limits    whisk.NamespaceLimits
}

// NoteItem is what is noted under a name.
type NoteItem struct {
	Name  string
	Value []byte
}

// CodeItem is a blob.
type CodeItem struct {
	Digest whisk.Digest
	Text   []byte
}

// TermItem is the last term of a leadership.
type TermItem struct {
	Name string
	Term int64
}

// leave says what becomes of a dump that has come by something damaged.
func (s Sink) leave(err error) error {
	if s.Damaged == nil || !errors.Is(err, whisk.ErrCorrupted) {
		return err
	}
	return s.Damaged(err)
}

// Each gives the sink what read returns until it says that there is no more.
// Where read finds something damaged it must go on behind that. It is for
// engines.
func (s Sink) Each(read func() (item Item, more bool, err error)) error {
	for {
		item, more, err := read()
		switch {
		case err != nil:
			if err := s.leave(err); err != nil {
				return err
			}
		case !more:
			return nil
		default:
			if err := s.Item(item); err != nil {
				return err
			}
		}
	}
}
