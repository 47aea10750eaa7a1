package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newTriggerCmd() *cobra.Command {
	cmd, f := newClientGroup("trigger", "work with triggers", `A trigger is a named event. Rules say which actions run when it fires; it fires
by hand, through the API, or by a feed.

  hearth trigger create visit
  hearth rule create greet visit hello       # hello runs on each visit
  hearth trigger fire visit -p name you
  hearth trigger create tick --feed /whisk.system/alarms/interval -p minutes 5`)
	cmd.AddCommand(
		newTriggerFireCmd(f), newTriggerCreateCmd(f), newTriggerUpdateCmd(f),
		newTriggerGetCmd(f), newTriggerDeleteCmd(f), newTriggerListCmd(f),
	)
	completeFirst(cmd, f, listTriggers, "fire", "update", "get", "delete")
	completeFlag(cmd, f, "feed", listFeeds)
	return cmd
}

func newTriggerFireCmd(f *clientFlags) *cobra.Command {
	params := pairs{what: "parameter"}
	cmd := &cobra.Command{
		Use:   "fire TRIGGER_NAME",
		Short: "fire trigger event",
		Long: `Fire a trigger. What is given goes over the trigger's own parameters to each
action. Without an active rule nothing runs, and there is no id.`,
		Example: `  hearth trigger fire visit -p name you
  hearth trigger fire visit -P event.json`,
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			n, err := entityArg(args, "A trigger name is required.")
			if err != nil {
				return err
			}
			body, err := params.object()
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			id, err := s.Fire(ctx, n, body)
			if err != nil {
				return failed(err, "Unable to fire trigger '%s'", n.Name)
			}
			s.out.printf("ok: triggered %s with id %s\n", n, id)
			return nil
		}),
	}
	params.addTo(cmd.Flags(), "p", "P")
	return cmd
}

func newTriggerGetCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get TRIGGER_NAME [FIELD_FILTER | --summary]",
		Short: "get trigger",
		Long:  "Get a trigger. If a feed fires it, what the feed says of it is shown.",
	}
	summary := cmd.Flags().BoolP("summary", "s", false, `summarize trigger details; parameters with prefix "*" are bound`)
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, field, err := getArgs(args, &client.Trigger{}, "A trigger name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		t, err := s.Trigger(ctx, n)
		if err != nil {
			return failed(err, "Unable to get trigger '%s'", n.Name)
		}
		if name := t.Feed(); name != "" {
			feed, err := parseActionName(name)
			if err != nil {
				return err
			}
			inv, err := s.tellFeed(ctx, feed, client.FeedRead, n, nil)
			if err != nil {
				return failed(err, "Unable to configure feed '%s'", name)
			}
			s.out.json(sortKeys(inv.Body))
			return nil
		}
		if *summary {
			printSummary(s.out, "trigger", "/"+t.Namespace+"/"+t.Name, t.Annotations, t.Parameters)
			return nil
		}
		t.Annotations, t.Parameters = sortValues(t.Annotations), sortValues(t.Parameters)
		for rule, v := range t.Rules {
			t.Rules[rule] = sortKeys(v)
		}
		s.out.got("trigger", n.Name, t, field)
		return nil
	})
	return cmd
}

func newTriggerDeleteCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "delete TRIGGER_NAME",
		Short: "delete trigger",
		Long: `Delete a trigger, after telling its feed, if it has one. Its rules stay, and are
inactive until a trigger of this name is there again.`,
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			n, err := entityArg(args, "A trigger name is required.")
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			return s.deleteTrigger(ctx, n, nil)
		}),
	}
}

func newTriggerListCmd(f *clientFlags) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use:   "list [NAMESPACE]",
		Short: "list all triggers",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ns, err := namespaceArg(args)
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Triggers(ctx, ns, l.skip, l.limit)
			if err != nil {
				return failed(err, "Unable to obtain the list of triggers for namespace '%s'", namespaceText(ns))
			}
			printTriggers(s.out, list, l.byName)
			return nil
		}),
	}
	l.addTo(cmd.Flags(), "triggers")
	return cmd
}

func printTriggers(p *printer, list []client.Trigger, byName bool) {
	if byName {
		sortByName(list, func(t *client.Trigger) string { return t.Namespace + t.Name })
	}
	p.printf("triggers\n")
	for i := range list {
		p.printf("%-70s %s\n", "/"+list[i].Namespace+"/"+list[i].Name, "private")
	}
}
