package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hearth/whisk"
)

// Errors of Append.
var (
	ErrFull   = errors.New("the journal is full")
	ErrClosed = errors.New("the journal is closed")
	ErrUnfit  = errors.New("the record cannot be written")
)

// Journal is an open journal. All methods may be called at the same time.
type Journal struct {
	cfg  Config
	lock *os.File
	size atomic.Int64 // bytes of all segments
	bad  atomic.Int64 // damaged stretches found

	mu      sync.Mutex // guards all below, and entries' and segments' fields
	entries map[whisk.ActivationID]*entry
	order   list
	segs    []*segment           // oldest first
	cur     *segment             // the last of segs, open for appending; nil: begin one
	next    uint64               // number of the next segment
	acks    []whisk.ActivationID // dropped from the index, not yet on disk
	batch   *batch               // what the next write takes; nil: nothing waits
	spare   *batch               // for the next open; may be nil
	coming  int64                // bytes of records in this batch and in the one being written
	writing bool                 // somebody has the writer's role
	closed  bool
}

// segment is one file. Its size is changed in the writer's role only.
type segment struct {
	n         uint64
	f         *os.File
	size      int64
	live      int   // entries that point here
	liveBytes int64 // their frames
	dirty     bool  // written since the last sync
}

// Open opens the journal in cfg.Dir, created if need be, and reads what
// earlier lives left: their records are offered by Unacked at once. Damage is
// reported to the logger and is no error.
func Open(cfg Config) (_ *Journal, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(cfg.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{cfg: cfg, lock: lock, entries: make(map[whisk.ActivationID]*entry), next: 1}
	defer func() {
		if err != nil {
			j.closeFiles()
		}
	}()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fmt.Errorf("open journal %s: another process has it: %w", cfg.Dir, err)
	}
	if err := j.replay(); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// Size returns the bytes on disk.
func (j *Journal) Size() int64 { return j.size.Load() }

// Full reports whether no new work should be taken: what is under way could
// still be recorded.
func (j *Journal) Full() bool { return j.size.Load() >= j.cfg.MaxBytes }

// Damaged returns how many damaged stretches were found since Open.
func (j *Journal) Damaged() int64 { return j.bad.Load() }

// Len returns how many records are unacknowledged.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// Has reports whether the journal holds an unacknowledged record of id.
func (j *Journal) Has(id whisk.ActivationID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[id] != nil
}

// Ack drops records that the store has. Ids that are not there are ignored.
func (j *Journal) Ack(ids ...whisk.ActivationID) {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return
	}
	for _, id := range ids {
		if e := j.entries[id]; e != nil {
			j.drop(e)
			j.acks = append(j.acks, id)
		}
	}
	old := j.spent()
	j.mu.Unlock()
	j.remove(old)
}

// drop takes e out of the index. The caller holds mu.
func (j *Journal) drop(e *entry) {
	delete(j.entries, e.id)
	j.order.remove(e)
	e.seg.live--
	e.seg.liveBytes -= int64(e.size)
	e.seg = nil
}

// spent takes the oldest segments in which nothing is needed out of the list
// and returns them. The caller holds mu and calls remove without it.
func (j *Journal) spent() []*segment {
	n := 0
	for n < len(j.segs) && j.segs[n].live == 0 && j.segs[n] != j.cur {
		n++
	}
	old := j.segs[:n:n]
	j.segs = j.segs[n:]
	if len(j.segs) == 0 {
		j.acks = nil // they spoke of nothing that is left
	}
	return old
}

func (j *Journal) remove(old []*segment) {
	for _, s := range old {
		s.f.Close()
		if err := os.Remove(s.f.Name()); err != nil {
			j.cfg.Logger.Error("journal: remove a spent segment", "err", err)
		}
		j.size.Add(-s.size)
	}
}

// Run syncs and tidies until ctx ends. It does not close the journal.
func (j *Journal) Run(ctx context.Context) error {
	t := time.NewTicker(j.cfg.FsyncInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			j.tidy()
			j.sync()
		}
	}
}

// sync brings to disk what is unacknowledged.
func (j *Journal) sync() {
	j.mu.Lock()
	var dirty []*segment
	for _, s := range j.segs {
		if s.dirty && s.live > 0 {
			s.dirty = false
			dirty = append(dirty, s)
		}
	}
	j.mu.Unlock()
	for _, s := range dirty {
		if err := s.f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			j.cfg.Logger.Error("journal: sync", "err", err)
		}
	}
	if len(dirty) > 0 {
		j.syncDir()
	}
}

func (j *Journal) syncDir() {
	d, err := os.Open(j.cfg.Dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		j.cfg.Logger.Error("journal: sync the directory", "err", err)
	}
}

// Close writes what is pending, syncs and releases the directory. What is
// unacknowledged stays there for the next Open. Append fails from then on.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.mu.Unlock()
	err := j.flush()
	j.mu.Lock()
	j.cur = nil
	old := j.spent()
	j.mu.Unlock()
	j.remove(old)
	j.sync()
	return errors.Join(err, j.closeFiles())
}

func (j *Journal) closeFiles() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	for _, s := range j.segs {
		errs = append(errs, s.f.Close())
	}
	j.segs = nil
	return errors.Join(append(errs, j.lock.Close())...)
}
