package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearth/whisk"
)

// limitSetting is one entry of --limit.
type limitSetting struct {
	name string
	unit string
	dst  any // *int64, *int or *time.Duration
}

func limitSettings(s *whisk.SystemLimits) []limitSetting {
	var out []limitSetting
	for _, r := range []struct {
		name, unit string
		r          *whisk.Range
	}{
		{"timeout", "ms", &s.Timeout}, {"memory", "MB", &s.Memory}, {"logs", "MB", &s.Logs},
		{"concurrency", "activations in one sandbox", &s.Concurrency},
	} {
		out = append(out,
			limitSetting{r.name + ".min", r.unit, &r.r.Min},
			limitSetting{r.name + ".default", r.unit, &r.r.Default},
			limitSetting{r.name + ".max", r.unit, &r.r.Max})
	}
	return append(out,
		limitSetting{"code-size", "bytes", &s.CodeSize},
		limitSetting{"parameter-size", "bytes", &s.ParameterSize},
		limitSetting{"payload-size", "bytes", &s.PayloadSize},
		limitSetting{"result-size", "bytes", &s.ResultSize},
		limitSetting{"truncation-size", "bytes", &s.TruncationSize},
		limitSetting{"entity-size", "bytes", &s.EntitySize},
		limitSetting{"json-depth", "levels", &s.JSONDepth},
		limitSetting{"sequence-length", "actions", &s.SequenceLength},
		limitSetting{"list-default", "rows", &s.ListDefault},
		limitSetting{"list-max", "rows", &s.ListMax},
		limitSetting{"blocking-wait", "duration", &s.BlockingWait},
		limitSetting{"invocations-per-minute", "a namespace", &s.InvocationsPerMinute},
		limitSetting{"fires-per-minute", "a namespace", &s.FiresPerMinute},
		limitSetting{"concurrent-invocations", "a namespace", &s.ConcurrentInvocations},
	)
}

// limitsFlag is the value of --limit: name=value pairs over the defaults.
type limitsFlag struct{ whisk.SystemLimits }

func (f *limitsFlag) Type() string { return "name=value" }

func (f *limitsFlag) String() string { return "" }

// Set takes one or more pairs, with commas between them.
func (f *limitsFlag) Set(text string) error {
	settings := limitSettings(&f.SystemLimits)
	for pair := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		i := slices.IndexFunc(settings, func(s limitSetting) bool { return s.name == name })
		if i < 0 {
			return fmt.Errorf("no limit is called %q; there are %s", name, limitNames(settings))
		}
		if err := settings[i].set(value); err != nil {
			return fmt.Errorf("limit %s: %w", name, err)
		}
	}
	return nil
}

func (s limitSetting) set(value string) error {
	if d, ok := s.dst.(*time.Duration); ok {
		v, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("want a duration such as 60s, got %q", value)
		}
		*d = v
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("want a whole number (%s), got %q", s.unit, value)
	}
	switch d := s.dst.(type) {
	case *int64:
		*d = n
	case *int:
		*d = int(min(n, 1<<30))
	}
	return nil
}

func limitNames(settings []limitSetting) string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

// limitsHelp lists every limit with its value, for --help.
func limitsHelp() string {
	s := whisk.DefaultSystemLimits()
	var b strings.Builder
	b.WriteString("Limits that --limit sets, with their defaults:\n")
	for _, l := range limitSettings(&s) {
		var v any
		switch d := l.dst.(type) {
		case *int64:
			v = *d
		case *int:
			v = *d
		case *time.Duration:
			v = *d
		}
		fmt.Fprintf(&b, "  %-24s %v (%s)\n", l.name, v, l.unit)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
