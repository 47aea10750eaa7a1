package main

import (
	"hearth/store"
	"hearth/whisk"
)

// follow makes the follower that drops what is cached of anything that somebody
// else has changed: another router, or an operator's command on the folder.
func (s *routerSide) follow() error {
	cfg := store.DefaultFollowerConfig()
	cfg.Changed, cfg.Lost, cfg.Logger, cfg.Metrics = s.changed, s.forget, s.log, s.metrics
	if err := cfg.Validate(); err != nil {
		return err
	}
	s.follower = store.NewFollower(cfg, s.engine)
	return nil
}

func (s *routerSide) changed(c store.Change) {
	switch c.Kind {
	case store.KindCredentials:
		s.auth.Invalidate(c.Key)
	case store.KindLimits:
		s.auth.InvalidateNamespace(whisk.Namespace(c.Key))
	default:
		s.entities.Changed(c)
	}
}

func (s *routerSide) forget() {
	s.auth.InvalidateAll()
	s.entities.ForgetAll()
}
