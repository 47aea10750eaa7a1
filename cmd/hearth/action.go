package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

func newActionCmd() *cobra.Command {
	cmd, f := newClientGroup("action", "work with actions", `An action is code that runs once per request.

  hearth action create hello hello.js           # the kind follows from the extension
  hearth action create up app.zip --kind nodejs:default
  hearth action update hello -p name you        # a default parameter; the code stays
  hearth action invoke hello -p name me -r      # wait and print the result
  hearth action invoke hello                    # print the id and go on
  hearth action get hello --save                # fetch the code`)
	cmd.AddCommand(
		newActionCreateCmd(f), newActionUpdateCmd(f), newActionInvokeCmd(f),
		newActionGetCmd(f), newActionDeleteCmd(f), newActionListCmd(f),
	)
	completeFirst(cmd, f, listActions, "update", "invoke", "get", "delete")
	completeFlag(cmd, f, "kind", listKinds)
	completeFlag(cmd, f, "web", listOf("yes", "raw", "no"))
	return cmd
}

func newActionDeleteCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ACTION_NAME",
		Short: "delete action",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 1, 1, "An action name is required."); err != nil {
				return err
			}
			n, err := parseActionName(args[0])
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			if err := s.DeleteAction(ctx, n.action()); err != nil {
				return failedAction(err, "Unable to delete action '%s'", n.entity())
			}
			s.out.printf("ok: deleted action %s\n", n.entity())
			return nil
		}),
	}
}

func newActionListCmd(f *clientFlags) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use:   "list [NAMESPACE | PACKAGE_NAME]",
		Short: "list all actions in a namespace or actions contained in a package",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 0, 1, "An optional namespace is the only valid argument."); err != nil {
				return err
			}
			n := entityName{Namespace: "_"}
			if len(args) == 1 {
				var err error
				if n, err = parseEntityName(args[0]); err != nil {
					return err
				}
				if n.Package != "" {
					return refuse(exitGeneral, "'%s' is not a valid qualified name: it names an action, not a package.", args[0])
				}
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Actions(ctx, n.Namespace, n.Name, l.skip, l.limit)
			if err != nil {
				return failedAction(err, "Unable to obtain the list of actions for namespace '%s'", namespaceText(n.Namespace))
			}
			printActions(s.out, list, l.byName)
			return nil
		}),
	}
	l.addTo(cmd.Flags(), "actions")
	return cmd
}

// compareActions puts the default package's actions first, each part by name.
func compareActions(a, b client.Action) int {
	inA, inB := strings.Contains(a.Namespace, "/"), strings.Contains(b.Namespace, "/")
	switch {
	case inA && inB:
		return cmp.Compare(strings.ToLower(a.Namespace+a.Name), strings.ToLower(b.Namespace+b.Name))
	case inA:
		return 1
	case inB:
		return -1
	}
	return cmp.Compare(a.Name, b.Name)
}

func printActions(p *printer, list []client.Action, byName bool) {
	if byName {
		slices.SortStableFunc(list, compareActions)
	}
	p.printf("actions\n")
	for i := range list {
		a := &list[i]
		p.printf("%-70s %s %s\n", "/"+a.Namespace+"/"+a.Name, "private", annotationText(a.Annotations, "exec"))
	}
}

// annotationText returns an annotation's value if it is a string, else "".
func annotationText(ps []whisk.Parameter, key string) string {
	raw, _ := whisk.Parameters(ps).Get(key)
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
