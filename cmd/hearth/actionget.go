package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newActionGetCmd(f *clientFlags) *cobra.Command {
	var summary, url, save bool
	var saveAs string
	cmd := &cobra.Command{
		Use:   "get ACTION_NAME [FIELD_FILTER | --summary | --url]",
		Short: "get action",
		Example: `  hearth action get hello
  hearth action get hello limits
  hearth action get hello --save-as copy.js`,
	}
	fs := cmd.Flags()
	fs.BoolVarP(&summary, "summary", "s", false, `summarize action details; parameters with prefix "*" are bound, "**" are bound and finalized`)
	fs.BoolVarP(&url, "url", "r", false, "get action url")
	fs.StringVar(&saveAs, "save-as", "", "`FILE` to save action code to")
	fs.BoolVar(&save, "save", false, "save action code to file corresponding with action name")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 1, 2, "An action name is required."); err != nil {
			return err
		}
		field := ""
		if len(args) == 2 && !url && !summary {
			if field = args[1]; !hasField(&client.Action{}, field) {
				return refuse(exitUsage, "Invalid field filter '%s'.", field)
			}
		}
		n, err := parseActionName(args[0])
		if err != nil {
			return err
		}
		saving := fs.Changed("save") || fs.Changed("save-as")
		ctx, cancel := within(ctx)
		defer cancel()
		a, err := s.Action(ctx, n.action(), saving)
		if err != nil {
			return failedAction(err, "Unable to get action '%s'", n.entity())
		}
		switch {
		case url:
			return s.printActionURL(n, a)
		case summary:
			printSummary(s.out, "action", "/"+a.Namespace+"/"+a.Name, a.Annotations, a.Parameters)
		case saving:
			return s.saveCode(a, saveAs)
		case field != "":
			s.out.printf("ok: got action %s, displaying field %s\n", n.entity(), field)
			s.out.json(fieldOf(sorted(a), field))
		default:
			s.out.printf("ok: got action %s\n", n.entity())
			s.out.json(sorted(a))
		}
		return nil
	})
	return cmd
}

// sorted returns a copy of a with its values as they are printed.
func sorted(a *client.Action) *client.Action {
	b := *a
	b.Annotations, b.Parameters = sortValues(a.Annotations), sortValues(a.Parameters)
	return &b
}

func (s *session) printActionURL(n entityName, a *client.Action) error {
	base, err := client.BaseURL(s.account.host)
	if err != nil {
		return sorry("Invalid host address '%s': %w", s.account.host, err)
	}
	ns, _, _ := strings.Cut(a.Namespace, "/")
	path := []string{base.String(), s.account.version}
	if a.Web() {
		pkg := n.Package
		if pkg == "" {
			pkg = "default"
		}
		path = append(path, "web", escapeName(ns), escapeName(pkg))
	} else {
		path = append(path, "namespaces", escapeName(ns), "actions")
		if n.Package != "" {
			path = append(path, escapeName(n.Package))
		}
	}
	s.out.printf("ok: got action %s\n%s\n", n.Name, strings.Join(append(path, escapeName(a.Name)), "/"))
	return nil
}
