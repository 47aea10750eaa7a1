package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
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
			if field = args[1]; !isField(actionField(&client.Action{}, field)) {
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
			printActionSummary(s.out, a)
		case saving:
			return s.saveCode(a, saveAs)
		case field != "":
			s.out.printf("ok: got action %s, displaying field %s\n", n.entity(), field)
			v, _ := actionField(sorted(a), field)
			s.out.json(v)
		default:
			s.out.printf("ok: got action %s\n", n.entity())
			s.out.json(sorted(a))
		}
		return nil
	})
	return cmd
}

func isField(_ any, ok bool) bool { return ok }

// sorted returns a copy of a with its values as they are printed.
func sorted(a *client.Action) *client.Action {
	b := *a
	b.Annotations, b.Parameters = sortValues(a.Annotations), sortValues(a.Parameters)
	return &b
}

// actionField returns one field of an action by its name, in any case.
func actionField(a *client.Action, name string) (any, bool) {
	switch strings.ToLower(name) {
	case "namespace":
		return a.Namespace, true
	case "name":
		return a.Name, true
	case "version":
		return a.Version, true
	case "exec":
		return a.Exec, true
	case "annotations":
		return a.Annotations, true
	case "parameters":
		return a.Parameters, true
	case "limits":
		return a.Limits, true
	case "publish":
		return a.Publish, true
	case "updated":
		return a.Updated, true
	}
	return nil, false
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

// printActionSummary shows what an action is for, from its annotations
// "description" and "parameters".
func printActionSummary(p *printer, a *client.Action) {
	names := paramNames(a)
	params := strings.Join(names, ", ")
	title := fmt.Sprintf("action /%s/%s", a.Namespace, a.Name)
	switch description := annotationText(a.Annotations, "description"); {
	case description != "":
		title += ": " + description
	case len(names) > 0:
		title += ": Returns a result based on parameter" + nameList(names)
	}
	if params == "" {
		params = "none defined"
	}
	p.printf("%s\n   (parameters: %s)\n", title, params)
}

// nameList says " a", or "s a, b and c".
func nameList(names []string) string {
	plain := make([]string, len(names))
	for i, n := range names {
		plain[i] = strings.ReplaceAll(n, "*", "")
	}
	last := len(plain) - 1
	if last == 0 {
		return " " + plain[0]
	}
	return "s " + strings.Join(plain[:last], ", ") + " and " + plain[last]
}

// paramNames returns the names of the bound parameters, marked with * (** if
// they are final), and of the annotated ones, sorted.
func paramNames(a *client.Action) []string {
	mark := "*"
	if v, _ := whisk.Parameters(a.Annotations).Get(final); string(v) == "true" {
		mark = "**"
	}
	var rows []struct {
		Name json.RawMessage `json:"name"`
	}
	raw, _ := whisk.Parameters(a.Annotations).Get("parameters")
	_ = json.Unmarshal(raw, &rows) // an annotation of another form describes nothing
	var names []string
	for _, r := range rows {
		var s string
		if json.Unmarshal(r.Name, &s) == nil {
			names = append(names, s)
		}
	}
	for _, p := range a.Parameters {
		names = append(names, p.Key)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i, n := range names {
		if _, bound := whisk.Parameters(a.Parameters).Get(n); bound {
			names[i] = mark + n
		}
	}
	return names
}
