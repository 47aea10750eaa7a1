package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// stages are the long-running parts of a process. They run side by side and
// are stopped one after the other, the last started first, so that what
// attracts work ends before what the work needs.
type stages struct {
	list   []*stage
	failed chan error // the first stage to end by itself
	once   sync.Once
}

type stage struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func newStages() *stages { return &stages{failed: make(chan error, 1)} }

// start runs f in its own goroutine under its own context.
func (s *stages) start(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	st := &stage{name: name, cancel: cancel, done: make(chan struct{})}
	s.list = append(s.list, st)
	go func() {
		defer close(st.done)
		st.err = f(ctx)
		if ctx.Err() == nil { // it ended though nobody had asked
			err := st.err
			if err == nil {
				err = errors.New("ended unexpectedly")
			}
			s.once.Do(func() { s.failed <- fmt.Errorf("%s: %w", name, err) })
		}
	}()
}

// wait returns when ctx ends (nil) or a stage fails (its error).
func (s *stages) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// stop ends all stages, each before the one started before it, and returns
// their errors. Being cancelled is none.
func (s *stages) stop() error {
	var errs []error
	for i := len(s.list) - 1; i >= 0; i-- {
		st := s.list[i]
		st.cancel()
		<-st.done
		if st.err != nil && !errors.Is(st.err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", st.name, st.err))
		}
	}
	s.list = nil
	return errors.Join(errs...)
}
