package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearth/whisk"
)

const (
	suffix = ".journal"

	// offerBytes bounds what one Unacked reads into memory; a single larger
	// record is offered all the same.
	offerBytes = 16 << 20
)

// replay reads the segments of earlier lives. A segment is never appended to
// by a later life.
func (j *Journal) replay() error {
	names, err := os.ReadDir(j.cfg.Dir)
	if err != nil {
		return err
	}
	var ns []uint64
	for _, d := range names {
		if hex, ok := strings.CutSuffix(d.Name(), suffix); ok && len(hex) == 16 {
			if n, err := strconv.ParseUint(hex, 16, 64); err == nil {
				ns = append(ns, n)
			}
		}
	}
	slices.Sort(ns)
	for _, n := range ns {
		j.next = n + 1
		if err := j.replaySegment(n); err != nil {
			return fmt.Errorf("segment %x: %w", n, err)
		}
	}
	j.acks = nil // they are on disk
	j.remove(j.spent())
	return nil
}

func (j *Journal) replaySegment(n uint64) error {
	f, err := os.OpenFile(j.path(n), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	s := &segment{n: n, f: f}
	j.segs = append(j.segs, s)
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	end, damaged := scan(b, func(off int, fr frame) {
		switch fr.kind {
		case recordFrame:
			e := j.entries[fr.id]
			if e == nil {
				e = &entry{id: fr.id}
				j.entries[e.id] = e
				j.order.push(e)
			} else { // moved here from an older segment
				e.seg.live--
				e.seg.liveBytes -= int64(e.size)
			}
			e.seg, e.off, e.size = s, int64(off), fr.size()
			s.live++
			s.liveBytes += int64(e.size)
		case ackFrame:
			decodeAcks(fr, func(id whisk.ActivationID) {
				if e := j.entries[id]; e != nil {
					j.drop(e)
				}
			})
		default:
			j.cfg.Logger.Error("journal: a frame of unknown kind is skipped", "segment", filepath.Base(f.Name()), "kind", fr.kind)
		}
	})
	s.size = int64(end)
	j.size.Add(s.size)
	if damaged > 0 {
		j.bad.Add(int64(damaged))
		j.cfg.Logger.Error("journal: records were damaged and are lost", "segment", filepath.Base(f.Name()), "places", damaged)
	}
	if end < len(b) {
		j.cfg.Logger.Warn("journal: cut off a torn write", "segment", filepath.Base(f.Name()), "bytes", len(b)-end)
		return f.Truncate(int64(end))
	}
	return nil
}

// read reads e's frame from its file.
func (e *entry) read() (frame, error) {
	b := make([]byte, e.size)
	if _, err := e.seg.f.ReadAt(b, e.off); err != nil {
		if errors.Is(err, io.EOF) {
			err = errDamaged
		}
		return frame{}, err
	}
	f, err := readFrame(b)
	if err == nil && f.id != e.id {
		err = errDamaged
	}
	return f, err
}

// damaged drops a record that cannot be read any more.
func (j *Journal) damaged(id whisk.ActivationID) {
	j.bad.Add(1)
	j.cfg.Logger.Error("journal: a record was damaged and is lost", "activation", id.String())
	j.mu.Lock()
	if e := j.entries[id]; e != nil {
		j.drop(e)
	}
	old := j.spent()
	j.mu.Unlock()
	j.remove(old)
}

// Record returns the unacknowledged record of id, nil if there is none.
func (j *Journal) Record(id whisk.ActivationID) (*whisk.Activation, error) {
	for try := 0; ; try++ {
		j.mu.Lock()
		var e entry
		if p := j.entries[id]; p != nil {
			e = *p
		}
		j.mu.Unlock()
		if e.seg == nil {
			return nil, nil
		}
		rec, err := j.load(e)
		if errors.Is(err, os.ErrClosed) && try < 2 {
			continue // moved or dropped while it was read
		}
		return rec, err
	}
}

func (j *Journal) load(e entry) (*whisk.Activation, error) {
	f, err := e.read()
	var rec *whisk.Activation
	if err == nil {
		rec, err = decode(f)
	} else if !errors.Is(err, errDamaged) {
		return nil, fmt.Errorf("read record %s: %w", e.id, err)
	}
	if err != nil { // damaged, or not a record that this program can read
		j.damaged(e.id)
		return nil, fmt.Errorf("read record %s: %w", e.id, err)
	}
	return rec, nil
}

// Unacked returns up to limit unacknowledged records, oldest first: those of
// earlier lives, and those appended before the given time. Very large ones
// make it fewer.
func (j *Journal) Unacked(limit int, before time.Time) ([]*whisk.Activation, error) {
	j.mu.Lock()
	var es []entry
	bytes := 0
	for e := j.order.first; e != nil && len(es) < limit; e = e.next {
		if !e.at.Before(before) {
			break
		}
		if bytes += e.size; bytes > offerBytes && len(es) > 0 {
			break
		}
		es = append(es, *e)
	}
	j.mu.Unlock()
	recs := make([]*whisk.Activation, 0, len(es))
	var failed error
	for _, e := range es {
		switch rec, err := j.load(e); {
		case err == nil:
			recs = append(recs, rec)
		case !errors.Is(err, os.ErrClosed): // dropped meanwhile
			failed = err
		}
	}
	if len(recs) > 0 {
		return recs, nil // what failed was logged, or fails again
	}
	return nil, failed
}
