package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"hearth/whisk"
)

// maxSegments is how many files there may be before tidy begins to move what is
// needed together.
const maxSegments = 64

// batch is what one write takes. Everyone who has put something into it waits
// for done, or is told by lead to do the writing.
type batch struct {
	buf     []byte
	entries []*entry // of new records; off is relative to buf
	moved   []*entry // twins of entries that are copied from an old segment
	err     error

	// Made when the first has to wait; nil where nobody does.
	done chan struct{} // closed when written, or not; then err is valid
	lead chan struct{} // holds one token when the writer's role falls to this batch
}

// maxSpare is the largest buffer that is kept for the next batch, in bytes.
const maxSpare = 64 << 10

// heads are buffers for encoding.
var heads = sync.Pool{New: func() any { return new([]byte) }}

// Append adds a finished record. Once it has returned nil, the record survives
// the end of the process and is offered until it is acknowledged. A record
// whose id is in the journal already is left as it is there. Append returns
// [ErrFull], [ErrUnfit], [ErrClosed], or what went wrong with the file; but for
// an unfit record it may be tried again.
func (j *Journal) Append(rec *whisk.Activation) error {
	scratch := heads.Get().(*[]byte)
	defer heads.Put(scratch)
	f, err := encode((*scratch)[:0], rec)
	if cap(f.head) <= maxSpare {
		*scratch = f.head
	}
	if err != nil {
		return err
	}
	j.mu.Lock()
	switch {
	case j.closed:
		j.mu.Unlock()
		return ErrClosed
	case j.entries[rec.ID] != nil:
		j.mu.Unlock()
		return nil
	case j.size.Load()+j.coming+int64(f.size()) > 2*j.cfg.MaxBytes:
		j.mu.Unlock()
		return ErrFull
	}
	b := j.open()
	b.entries = append(b.entries, &entry{id: rec.ID, off: int64(len(b.buf)), size: f.size(), at: time.Now()})
	b.buf = appendFrame(b.buf, f)
	j.coming += int64(f.size())
	return j.join(b)
}

// flush writes pending acknowledgements, and waits for what is pending.
func (j *Journal) flush() error {
	j.mu.Lock()
	if j.batch == nil && !j.writing && (len(j.acks) == 0 || len(j.segs) == 0) {
		j.mu.Unlock()
		return nil
	}
	return j.join(j.open())
}

// open returns the batch that collects. The caller holds mu.
func (j *Journal) open() *batch {
	if j.batch == nil {
		j.batch, j.spare = j.spare, nil
		if j.batch == nil {
			j.batch = &batch{}
		}
	}
	return j.batch
}

// join waits until b is written, by this goroutine if nobody else is at it.
// The caller holds mu, join releases it.
func (j *Journal) join(b *batch) error {
	if j.writing {
		if b.done == nil {
			b.done, b.lead = make(chan struct{}), make(chan struct{}, 1)
		}
		j.mu.Unlock()
		select {
		case <-b.done:
			return b.err
		case <-b.lead:
		}
		j.mu.Lock()
	}
	j.writing, j.batch = true, nil
	acks := j.acks
	j.acks = nil
	j.mu.Unlock()

	err := j.write(b, acks)
	if b.done != nil {
		b.err = err
		close(b.done)
	}

	j.mu.Lock()
	if b.done == nil && j.spare == nil && cap(b.buf) <= maxSpare {
		clear(b.entries)
		clear(b.moved)
		*b = batch{buf: b.buf[:0], entries: b.entries[:0], moved: b.moved[:0]}
		j.spare = b
	}
	if j.batch != nil {
		j.batch.lead <- struct{}{} // keeps writing set, for its new leader
	} else {
		j.writing = false
	}
	j.mu.Unlock()
	return err
}

// write puts b and the acknowledgements into the current segment. The caller
// has the writer's role.
func (j *Journal) write(b *batch, acks []whisk.ActivationID) error {
	buf := b.buf
	if len(acks) > 0 {
		buf = appendFrame(buf, encodeAcks(acks))
	}
	if len(buf) == 0 {
		return nil
	}
	s, err := j.current()
	if err == nil {
		// At a failure the size stays, so that the next write goes over what
		// this one left.
		if _, err = s.f.WriteAt(buf, s.size); err != nil {
			_ = s.f.Truncate(s.size)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range b.entries {
		j.coming -= int64(e.size)
	}
	if err != nil {
		j.acks = append(acks, j.acks...)
		return fmt.Errorf("write to the journal: %w", err)
	}
	for _, e := range b.entries {
		if j.entries[e.id] != nil {
			continue // two appended it at the same time
		}
		e.seg, e.off = s, s.size+e.off
		j.entries[e.id] = e
		j.order.push(e)
		s.live++
		s.liveBytes += int64(e.size)
	}
	for _, m := range b.moved {
		if e := j.entries[m.id]; e != nil { // not acknowledged meanwhile
			e.seg.live--
			e.seg.liveBytes -= int64(e.size)
			e.seg, e.off = s, s.size+m.off
			s.live++
			s.liveBytes += int64(e.size)
		}
	}
	s.dirty = true
	s.size += int64(len(buf))
	j.size.Add(int64(len(buf)))
	return nil
}

// current returns the segment to write to, a new one if there is none or it is
// full. The caller has the writer's role.
func (j *Journal) current() (*segment, error) {
	j.mu.Lock()
	if j.cur != nil && j.cur.size < j.cfg.SegmentBytes {
		defer j.mu.Unlock()
		return j.cur, nil
	}
	n := j.next
	j.next++
	j.mu.Unlock()

	f, err := os.OpenFile(j.path(n), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	s := &segment{n: n, f: f}
	j.mu.Lock()
	j.segs = append(j.segs, s)
	j.cur = s
	old := j.spent()
	j.mu.Unlock()
	j.remove(old)
	return s, nil
}

func (j *Journal) path(n uint64) string {
	return filepath.Join(j.cfg.Dir, fmt.Sprintf("%016x%s", n, suffix))
}

// tidy writes acknowledgements, removes the last segment when nothing in it is
// needed, and copies what is needed of the oldest segment to the end when most
// of the journal's bytes are not.
func (j *Journal) tidy() {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return
	}
	if j.cur != nil && j.cur == j.segs[0] && j.cur.live == 0 && !j.writing && j.batch == nil {
		j.cur = nil
	}
	first := j.spent()
	j.mu.Unlock()
	j.remove(first)
	if err := j.flush(); err != nil {
		j.cfg.Logger.Error("journal: write acknowledgements", "err", err)
	}
	j.mu.Lock()
	var oldest *segment
	var live int64
	for _, s := range j.segs {
		live += s.liveBytes
	}
	size := j.size.Load()
	if (size > j.cfg.MaxBytes/2 || len(j.segs) > maxSegments) && live < size/2 && len(j.segs) > 0 && j.segs[0] != j.cur {
		oldest = j.segs[0]
	}
	j.mu.Unlock()
	if oldest != nil {
		if err := j.move(oldest); err != nil {
			j.cfg.Logger.Error("journal: copy an old segment", "err", err)
		}
	}
}

// move copies the entries of s to the end and removes s.
func (j *Journal) move(s *segment) error {
	j.mu.Lock()
	var es []entry
	for e := j.order.first; e != nil; e = e.next {
		if e.seg == s {
			es = append(es, *e)
		}
	}
	j.mu.Unlock()

	var frames []frame
	for _, e := range es {
		f, err := e.read()
		switch {
		case errors.Is(err, errDamaged):
			j.damaged(e.id)
		case err != nil:
			return err
		default:
			frames = append(frames, f)
		}
	}

	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return ErrClosed
	}
	b := j.open()
	for _, f := range frames {
		b.moved = append(b.moved, &entry{id: f.id, off: int64(len(b.buf)), size: f.size()})
		b.buf = appendFrame(b.buf, f)
	}
	err := j.join(b)
	j.mu.Lock()
	old := j.spent()
	j.mu.Unlock()
	j.remove(old)
	return err
}
