package main

import (
	"context"
	"fmt"
	"time"
)

// installCatalog brings whisk.system up to date with the nodejs kind that
// there is now, "" being none. It reports whether there is one.
func (s *routerSide) installCatalog(ctx context.Context) (whole bool, err error) {
	kind := ""
	if rt, err := s.router.Runtimes().Resolve("nodejs:default"); err == nil {
		kind = rt.Kind
	}
	c, err := newCatalog(kind)
	if err != nil {
		return false, err
	}
	in := installer{entities: s.entities, notes: s.engine, limits: s.flags.limits.Default(), log: s.log}
	if err := in.install(ctx, c); err != nil {
		return false, fmt.Errorf("install the packages of whisk.system: %w", err)
	}
	return kind != "", nil
}

// completeCatalog waits for the first nodejs kind to install what needs one.
func (s *routerSide) completeCatalog(ctx context.Context) error {
	const every = time.Second
	s.log.Info("no invoker offers nodejs: whisk.system lacks the packages that need it")
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		if _, err := s.router.Runtimes().Resolve("nodejs:default"); err != nil {
			continue
		}
		if whole, err := s.installCatalog(ctx); err != nil {
			s.log.Warn("whisk.system is not complete", "error", err)
		} else if whole {
			<-ctx.Done()
			return ctx.Err()
		}
	}
}
