package main

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

// actionFlags are the flags of create and update.
type actionFlags struct {
	execFlags
	copy, sequence                       bool
	timeout, memory, logsize, concurrent int
	web, webSecure                       string
	delAnnotations                       []string
	params, annotations                  pairs
	changed                              func(name string) bool
}

func newActionCreateCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create ACTION_NAME ACTION",
		Short: "create a new action",
		Example: `  hearth action create hello hello.py
  hearth action create hello build/hello --native   # an executable
  hearth action create again hello --copy           # from an action`,
	}
	a := addActionFlags(cmd)
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 1, 2, "An action name and code artifact are required."); err != nil {
			return err
		}
		return s.putAction(ctx, a, args, false)
	})
	return cmd
}

func newActionUpdateCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update ACTION_NAME [ACTION]",
		Short: "update an existing action, or create an action if it does not exist",
		Long: `Update an existing action, or create an action if it does not exist.
What is not given stays as it is. Annotations are added; parameters are replaced.`,
	}
	a := addActionFlags(cmd)
	cmd.Flags().StringArrayVar(&a.delAnnotations, "del-annotation", nil, "a `KEY` of an annotation to be deleted from the action; may be repeated")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 1, 2, "An action name is required. A code artifact is optional."); err != nil {
			return err
		}
		return s.putAction(ctx, a, args, true)
	})
	return cmd
}

func addActionFlags(cmd *cobra.Command) *actionFlags {
	a := &actionFlags{params: pairs{what: "parameter"}, annotations: pairs{what: "annotation"}}
	fs := cmd.Flags()
	a.changed = fs.Changed
	fs.BoolVar(&a.native, "native", false, "treat ACTION as native action (an executable, or a zip file with one named exec)")
	fs.StringVar(&a.docker, "docker", "", "use provided docker `IMAGE` to run the action")
	fs.BoolVar(&a.copy, "copy", false, "treat ACTION as the name of an existing action")
	fs.BoolVar(&a.sequence, "sequence", false, "treat ACTION as comma separated sequence of actions to invoke")
	fs.StringVar(&a.kind, "kind", "", "the `KIND` of the action runtime (example: python:default, nodejs:default)")
	fs.StringVar(&a.main, "main", "", "the name of the action entry point (function or fully-qualified method name when applicable)")
	fs.IntVarP(&a.timeout, "timeout", "t", 60000, "the timeout `LIMIT` in milliseconds after which the action is terminated")
	fs.IntVarP(&a.memory, "memory", "m", 256, "the maximum memory `LIMIT` in MB for the action")
	fs.IntVarP(&a.logsize, "logsize", "l", 10, "the maximum log size `LIMIT` in MB for the action")
	fs.IntVarP(&a.concurrent, "concurrency", "c", 1, "the maximum intra-container concurrent activation `LIMIT` for the action")
	a.annotations.addTo(fs, "a", "A")
	a.params.addTo(fs, "p", "P")
	fs.StringVar(&a.web, "web", "", "treat ACTION as a web action, a raw HTTP web action, or as a standard action; yes | true = web action, raw = raw HTTP web action, no | false = standard action")
	fs.StringVar(&a.webSecure, "web-secure", "", "secure the web action. where `SECRET` is true, false, or any string. Only valid when the ACTION is a web action")
	return a
}

func (s *session) putAction(ctx context.Context, f *actionFlags, args []string, update bool) error {
	ctx, cancel := within(ctx)
	defer cancel()
	n, err := parseActionName(args[0])
	if err != nil {
		return invalid(err)
	}
	a, err := s.buildAction(ctx, f, n, args, update)
	if err != nil {
		return invalid(err)
	}
	if _, err := s.PutAction(ctx, n.action(), a, update); err != nil {
		return failedAction(err, "Unable to create action '%s'", n.entity())
	}
	if update {
		s.out.printf("ok: updated action %s\n", n.entity())
	} else {
		s.out.printf("ok: created action %s\n", n.entity())
	}
	return nil
}

// invalid says that it was the arguments, as wsk does even where it was the
// server.
func invalid(err error) error { return refuse(exitCode(err), "Invalid argument(s). %w", err) }

// buildAction turns flags and arguments into the body to send.
func (s *session) buildAction(ctx context.Context, f *actionFlags, n entityName, args []string, update bool) (*client.Action, error) {
	a := &client.Action{Namespace: string(n.Namespace), Name: n.entity(), Limits: f.limits(), DelAnnotations: f.delAnnotations}
	params, err := f.params.parameters()
	if err != nil {
		return nil, err
	}
	annotations, err := f.annotations.parameters()
	if err != nil {
		return nil, err
	}
	a.Parameters, a.Annotations = params, annotations
	if f.kind != "" && f.docker != "" {
		return nil, refuse(exitNotAllowed, "Cannot specify both --kind and --docker at the same time.")
	}
	switch {
	case f.copy:
		if err := s.copyAction(ctx, a, args); err != nil {
			return nil, err
		}
	case f.sequence:
		if len(args) < 2 {
			return nil, errNoArtifact
		}
		a.Exec = &client.Exec{Kind: "sequence", Components: components(args[1])}
	case len(args) > 1 || f.docker != "":
		if a.Exec, err = f.exec(args[1:]); err != nil {
			return nil, err
		}
	case !update:
		return nil, errNoArtifact
	}
	var existing *client.Action
	if update {
		existing, err = s.Action(ctx, n.action(), false)
		if err != nil && client.StatusOf(err) != http.StatusNotFound {
			return nil, failedAction(err, "Unable to get action '%s'", n.entity())
		}
	}
	return a, f.annotateWeb(a, existing)
}

var errNoArtifact = refuse(exitUsage, "An action name and code artifact are required.")

// copyAction lays a under what another action has: what the user gave stands.
func (s *session) copyAction(ctx context.Context, a *client.Action, args []string) error {
	if len(args) < 2 {
		return errNoArtifact
	}
	from, err := parseActionName(args[1])
	if err != nil {
		return err
	}
	source, err := s.Action(ctx, from.action(), true)
	if err != nil {
		return failedAction(err, "Unable to get action '%s'", from.entity())
	}
	a.Exec = source.Exec
	a.Parameters = whisk.Parameters(source.Parameters).Merge(a.Parameters)
	a.Annotations = whisk.Parameters(source.Annotations).Merge(a.Annotations)
	a.Limits = overLimits(source.Limits, a.Limits)
	return nil
}

// limits returns those that the user typed, nil if there are none.
func (f *actionFlags) limits() *client.Limits {
	var l client.Limits
	typed := false
	for _, x := range []struct {
		flag  string
		value int
		to    **int
	}{
		{"timeout", f.timeout, &l.Timeout},
		{"memory", f.memory, &l.Memory},
		{"logsize", f.logsize, &l.Logs},
		{"concurrency", f.concurrent, &l.Concurrency},
	} {
		if f.changed(x.flag) {
			*x.to, typed = &x.value, true
		}
	}
	if !typed {
		return nil
	}
	return &l
}

func overLimits(base, over *client.Limits) *client.Limits {
	if base == nil || over == nil {
		if over == nil {
			return base
		}
		return over
	}
	pick := func(a, b *int) *int {
		if b != nil {
			return b
		}
		return a
	}
	return &client.Limits{
		Timeout: pick(base.Timeout, over.Timeout), Memory: pick(base.Memory, over.Memory),
		Logs: pick(base.Logs, over.Logs), Concurrency: pick(base.Concurrency, over.Concurrency),
	}
}
