package main

import (
	"context"

	"hearth/auth"
	"hearth/flow"
	"hearth/whisk"
)

// builtins are the actions of whisk.system that the platform answers itself, by
// their names in catalog.json: the feeds of alarms.
func (s *routerSide) builtins() map[string]flow.Builtin {
	out := map[string]flow.Builtin{}
	for _, sort := range []string{"alarm", "interval", "once"} {
		out[sort] = func(ctx context.Context, c *whisk.Call) whisk.Response { return s.alarms.Feed(ctx, sort, c) }
	}
	return out
}

// newAlarms joins the alarms, which fire by s.flow.
func (s *routerSide) newAlarms(throttle *auth.Throttle) *flow.Alarms {
	cfg := flow.DefaultAlarmsConfig()
	cfg.Logger, cfg.Metrics = s.log, s.metrics
	return flow.NewAlarms(cfg, flow.AlarmsDeps{
		Store: s.engine, Queue: s.recorder, Triggers: s.entities, Fires: s.flow, Keys: s.auth, Throttle: throttle, Sealer: s.keys,
	})
}
