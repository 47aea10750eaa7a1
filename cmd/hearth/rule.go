package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

func newRuleCmd() *cobra.Command {
	cmd, f := newClientGroup("rule", "work with rules", `A rule runs an action when a trigger fires. One trigger may have many rules, and
a rule can be switched off and on.

  hearth rule create greet visit hello     # the action hello runs on each visit
  hearth rule disable greet
  hearth rule status greet`)
	cmd.AddCommand(
		newRulePutCmd(f, false), newRuleSetCmd(f, "enable", client.Active), newRuleSetCmd(f, "disable", client.Inactive),
		newRuleStatusCmd(f), newRulePutCmd(f, true), newRuleGetCmd(f), newRuleDeleteCmd(f), newRuleListCmd(f),
	)
	completeFirst(cmd, f, listRules, "enable", "disable", "status", "get", "delete")
	completeWords(cmd, f, "create", nil, listTriggers, listActions)
	completeWords(cmd, f, "update", listRules, listTriggers, listActions)
	return cmd
}

// newRulePutCmd returns create or update, which differ in their words and in
// what they do to a rule that is there.
func newRulePutCmd(f *clientFlags, update bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "create RULE_NAME TRIGGER_NAME ACTION_NAME",
		Short:   "create new rule",
		Long:    "Create a rule, active from the start. The trigger and the action must be there.",
		Example: "  hearth rule create greet visit mail/send",
	}
	verb := "create"
	if update {
		verb = "update"
		cmd = &cobra.Command{
			Use:   "update RULE_NAME TRIGGER_NAME ACTION_NAME",
			Short: "update an existing rule, or create a rule if it does not exist",
			Long:  "Update an existing rule, or create a rule if it does not exist. It stays active, or inactive.",
		}
	}
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 3, 3, "A rule, trigger and action name are required."); err != nil {
			return err
		}
		n, err := parsePlainName(args[0])
		if err != nil {
			return err
		}
		trigger, err := parsePlainName(args[1])
		if err != nil {
			return err
		}
		action, err := parseActionName(args[2])
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		if _, err := s.PutRule(ctx, n, &client.RuleBody{Name: n.Name, Trigger: trigger.String(), Action: action.String()}, update); err != nil {
			return failed(err, "Unable to %s rule '%s'", verb, n.Name)
		}
		s.out.printf("ok: %s rule %s\n", doneText(update), n.Name)
		return nil
	})
	return cmd
}

func newRuleSetCmd(f *clientFlags, verb, status string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " RULE_NAME",
		Short: verb + " rule",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			n, err := entityArg(args, "A rule name is required.")
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			if err := s.SetRule(ctx, n, status); err != nil {
				return failed(err, "Unable to %s rule '%s'", verb, n.Name)
			}
			s.out.printf("ok: %sd rule %s\n", verb, n.Name)
			return nil
		}),
	}
}

func newRuleStatusCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "status RULE_NAME",
		Short: "get rule status",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			n, err := entityArg(args, "A rule name is required.")
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			r, err := s.Rule(ctx, n)
			if err != nil {
				return failedAction(err, "Unable to get status of rule '%s'", n.Name)
			}
			s.out.printf("ok: rule %s is %s\n", n.Name, r.Status)
			return nil
		}),
	}
}

func newRuleGetCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "get RULE_NAME [FIELD_FILTER | --summary]", Short: "get rule"}
	summary := cmd.Flags().BoolP("summary", "s", false, "summarize rule details")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, field, err := getArgs(args, &client.Rule{}, "A rule name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		r, err := s.Rule(ctx, n)
		if err != nil {
			return failedAction(err, "Unable to get rule '%s'", n.Name)
		}
		if *summary {
			s.out.printf("rule /%s/%s\n   (status: %s)\n", r.Namespace, r.Name, r.Status)
			return nil
		}
		r.Annotations = sortValues(r.Annotations)
		s.out.got("rule", n.Name, r, field)
		return nil
	})
	return cmd
}

func newRuleDeleteCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "delete RULE_NAME", Short: "delete rule"}
	disable := cmd.Flags().Bool("disable", false, "automatically disable rule before deleting it")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, err := entityArg(args, "A rule name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		if *disable {
			if err := s.SetRule(ctx, n, client.Inactive); err != nil {
				return failed(err, "Unable to disable rule '%s'", n.Name)
			}
		}
		if err := s.DeleteRule(ctx, n); err != nil {
			return failed(err, "Unable to delete rule '%s'", n.Name)
		}
		s.out.printf("ok: deleted rule %s\n", n.Name)
		return nil
	})
	return cmd
}

func newRuleListCmd(f *clientFlags) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use:   "list [NAMESPACE]",
		Short: "list all rules",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ns, err := namespaceArg(args)
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Rules(ctx, ns, l.skip, l.limit)
			if err != nil {
				return failed(err, "Unable to obtain the list of rules for namespace '%s'", namespaceText(ns))
			}
			if err := s.learnStatus(ctx, ns, list); err != nil {
				return err
			}
			printRules(s.out, list, l.byName)
			return nil
		}),
	}
	l.addTo(cmd.Flags(), "rules")
	return cmd
}

// learnStatus asks for each rule's status, which lists do not say.
func (s *session) learnStatus(ctx context.Context, ns whisk.Namespace, list []client.Rule) error {
	for i := range list {
		r, err := s.Rule(ctx, whisk.EntityName{Namespace: ns, Name: list[i].Name})
		if err != nil {
			return failed(err, "Unable to get status of rule '%s'", list[i].Name)
		}
		list[i].Status = r.Status
	}
	return nil
}

func printRules(p *printer, list []client.Rule, byName bool) {
	if byName {
		sortByName(list, func(r *client.Rule) string { return r.Namespace + r.Name })
	}
	p.printf("rules\n")
	for i := range list {
		r := &list[i]
		p.printf("%-70s %-20s %s\n", "/"+r.Namespace+"/"+r.Name, "private", r.Status)
	}
}
