package wire

import (
	"time"

	"hearth/whisk"
)

// ackDelay is how long acknowledgements may wait for a message to go with:
// every write costs both sides a wake-up.
const ackDelay = 10 * time.Millisecond

// idsPerAck bounds the ids in one message.
const idsPerAck = 1024

// ack queues the ids of records that need not be kept any more.
func (l *link) ack(ids []whisk.ActivationID) error {
	const size = len(whisk.ActivationID{})
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(ids) > 0 {
		n := min(len(ids), idsPerAck-len(l.acks)/size)
		if err := l.admit(frameAck, 4+n*size); err != nil {
			return err
		}
		l.acks = appendIDs(l.acks, ids[:n])
		l.queued += n * size
		if ids = ids[n:]; len(l.acks) == idsPerAck*size {
			l.putAcks()
			l.work.Signal()
		}
	}
	if len(l.acks) > 0 && !l.waits {
		l.waits = true
		if l.hurry == nil {
			l.hurry = time.AfterFunc(ackDelay, l.flushAcks)
		} else {
			l.hurry.Reset(ackDelay)
		}
	}
	return nil
}

func (l *link) flushAcks() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = false
	l.putAcks()
	l.work.Signal()
}

// putAcks queues a message of the ids that wait, if any. The caller holds mu.
func (l *link) putAcks() {
	if len(l.acks) > 0 && l.err == nil {
		l.queued -= len(l.acks)
		l.put(frameAck, 0, 4+len(l.acks), nil, [][]byte{l.acks})
		l.acks = l.acks[:0]
	}
}
