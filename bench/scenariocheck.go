package bench

import (
	"fmt"
	"slices"
	"strings"
)

// validate reports the first thing that cannot be measured.
func (s *Scenario) validate() error {
	if len(s.Cases) == 0 && s.Needs == "" {
		return fmt.Errorf("it has no cases")
	}
	var names []string
	for i := range s.Cases {
		c := &s.Cases[i]
		if slices.Contains(names, c.Name) {
			return fmt.Errorf("two cases are called %q", c.Name)
		}
		if err := c.validate(names); err != nil {
			return fmt.Errorf("case %q: %w", c.Name, err)
		}
		names = append(names, c.Name)
	}
	return nil
}

// validate checks one case; earlier are the names of those before it.
func (c *Case) validate(earlier []string) error {
	if name, ok := strings.CutPrefix(c.On, "floor "); ok {
		if _, ok := floors[name]; !ok {
			return fmt.Errorf("no floor %q", name)
		}
	} else if c.On != "" {
		return fmt.Errorf("on %q: want \"floor NAME\" or nothing", c.On)
	}
	switch {
	case !slices.Contains([]string{DoInvoke, DoAPI, DoCold, DoSubmit, DoAccept, DoFire, DoIdle}, c.Do):
		return fmt.Errorf("do %q: there are invoke, api, cold, submit, accept, fire and idle", c.Do)
	case !slices.Contains([]string{"nodejs", "python", "go", "native"}, c.Kind):
		return fmt.Errorf("kind %q: there are nodejs, python, go and native", c.Kind)
	case !slices.Contains([]string{"", "none", "postgres"}, c.Server.Store):
		return fmt.Errorf("store %q: want none or postgres", c.Server.Store)
	case !slices.Contains([]string{"", "unix", "tls"}, c.Server.Split):
		return fmt.Errorf("split %q: want unix or tls", c.Server.Split)
	case c.Payload < MinPayload || c.Payload > 1<<20:
		return fmt.Errorf("payload %d: must be within %d and %d", c.Payload, MinPayload, 1<<20)
	case c.Actions < 1 || c.Actions > 10_000 || c.Zipf < 0:
		return fmt.Errorf("%d actions, exponent %v: out of range", c.Actions, c.Zipf)
	case c.Load.Share < 0 || c.Load.Share > 100:
		return fmt.Errorf("share %v: must be within 0 and 100", c.Load.Share)
	case c.queues() && c.Load.Count == 0:
		return fmt.Errorf("%s needs a count", c.Do)
	}
	if r := c.Load.RateOf; r != nil && (!slices.Contains(earlier, r.Case) || !(r.Times > 0)) {
		return fmt.Errorf("rateOf: %v times %q: must be an earlier case's", r.Times, r.Case)
	}
	if err := c.Trace.validate(); err != nil {
		return err
	}
	if c.Do != DoIdle && c.Load.RateOf == nil && c.Trace == nil {
		if err := c.Load.plan(1e9, 0, 0).Validate(); err != nil {
			return err
		}
	}
	for _, f := range c.Figures {
		if err := f.validate(append(earlier, c.Name)); err != nil {
			return fmt.Errorf("figure %q: %w", f.What, err)
		}
	}
	return nil
}

func (f *Figure) validate(cases []string) error {
	if f.unit() == "" || f.OverWhat != "" && figureUnit(f.OverWhat) == "" {
		return fmt.Errorf("no such figure")
	}
	if name, ok := strings.CutPrefix(f.Over, "floor "); ok {
		if _, ok := floors[name]; !ok {
			return fmt.Errorf("no floor %q", name)
		}
	} else if name, ok := strings.CutPrefix(f.Over, "case "); ok {
		if !slices.Contains(cases, name) {
			return fmt.Errorf("over: no earlier case %q", name)
		}
	} else if f.Over != "" && figureUnit(f.Over) == "" {
		return fmt.Errorf("over %q: want \"floor NAME\", \"case NAME\" or a figure", f.Over)
	}
	if f.Less != "" && !slices.Contains(cases, f.Less) {
		return fmt.Errorf("less: no earlier case %q", f.Less)
	}
	return nil
}

func (f *Figure) unit() string { return figureUnit(f.What) }

// figureUnit returns the unit of a figure, "" if there is none such.
func figureUnit(what string) string {
	if u, ok := figureUnits[what]; ok {
		return u
	}
	if name, label, ok := strings.Cut(what, " "); ok && label != "" && (name == "cpu" || name == "rss") {
		return figureUnits[name]
	}
	return ""
}
