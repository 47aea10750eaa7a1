package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newNamespaceCmd() *cobra.Command {
	cmd, f := newClientGroup("namespace", "work with namespaces", `A namespace holds what its owner created; the key opens one.

  hearth namespace list     # its name
  hearth namespace get      # all that is in it`)
	cmd.AddCommand(newNamespaceListCmd(f), newNamespaceGetCmd(f, "get", "get triggers, actions, and rules in the registry for namespace"))
	return cmd
}

// newListCmd returns "list", which is "namespace get".
func newListCmd() *cobra.Command {
	f := new(clientFlags)
	cmd := newNamespaceGetCmd(f, "list", "list entities in the current namespace")
	cmd.Annotations = map[string]string{clientMark: ""}
	f.addTo(cmd.Flags())
	return cmd
}

func newNamespaceListCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list available namespaces",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 0, 0, "No arguments are required."); err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Namespaces(ctx)
			if err != nil {
				return failed(err, "Unable to obtain the list of available namespaces")
			}
			s.out.printf("namespaces\n")
			for _, ns := range list {
				s.out.printf("%s\n", ns)
			}
			return nil
		}),
	}
}

func newNamespaceGetCmd(f *clientFlags, name, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name + " [NAMESPACE]",
		Short: short,
		Long:  "List all packages, actions, triggers and rules of a namespace, up to the server's limit of each.",
	}
	var byName bool
	addNameSort(cmd.Flags(), &byName)
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		ns, err := namespaceArg(args)
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		whole := func(err error) error {
			return failed(err, "Unable to obtain the list of entities for namespace '%s'", namespaceText(ns))
		}
		actions, err := s.Actions(ctx, ns, "", 0, 0)
		if err != nil {
			return whole(err)
		}
		packages, err := s.Packages(ctx, ns, 0, 0)
		if err != nil {
			return whole(err)
		}
		triggers, err := s.Triggers(ctx, ns, 0, 0)
		if err != nil {
			return whole(err)
		}
		rules, err := s.Rules(ctx, ns, 0, 0)
		if err != nil {
			return whole(err)
		}
		if err := s.learnStatus(ctx, ns, rules); err != nil {
			return err
		}
		s.out.printf("Entities in namespace: %s\n", namespaceText(ns))
		printPackages(s.out, packages, byName)
		printActions(s.out, actions, byName)
		printTriggers(s.out, triggers, byName)
		printRules(s.out, rules, byName)
		return nil
	})
	return cmd
}
