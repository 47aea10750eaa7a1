package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newAPIListCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [BASE_PATH | API_NAME [API_PATH [API_VERB]]]",
		Short: "list APIs",
	}
	var l listFlags
	l.addTo(cmd.Flags(), "APIs")
	full := cmd.Flags().BoolP("full", "f", false, "display full description of each API")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 0, 3, "Optional parameters are: API base path (or API name), API relative path and operation."); err != nil {
			return err
		}
		q := s.routeQuery()
		if len(args) == 0 {
			q.Paged, q.Skip, q.Limit = true, l.skip, l.limit
		} else {
			var err error
			if q, err = s.selectRoutes(args); err != nil {
				return err
			}
		}
		ctx, cancel := within(ctx)
		defer cancel()
		list, err := s.APIs(ctx, q)
		switch {
		case err != nil && len(args) > 0:
			return failed(err, "Unable to obtain the API list")
		case err != nil:
			return failedAPI(err, "Unable to obtain the API list")
		}
		rows := apiRows(list, q)
		if l.byName {
			sortByName(rows, func(r *apiRow) string { return r.base + r.path + r.verb })
		}
		s.out.printf("ok: APIs\n")
		if *full {
			printAPIs(s.out, rows)
		} else {
			printAPIRows(s.out, rows)
		}
		return nil
	})
	return cmd
}

// apiRow is one operation of an API.
type apiRow struct{ action, name, base, path, verb, url string }

// apiRows returns the operations that q selects, of each API by path and verb.
func apiRows(list []client.API, q client.RouteQuery) []apiRow {
	var rows []apiRow
	for _, api := range list {
		if api.Doc == nil {
			continue
		}
		title := ""
		if api.Doc.Info != nil {
			title = api.Doc.Info.Title
		}
		for _, path := range slices.Sorted(maps.Keys(api.Doc.Paths)) {
			if q.Path != "" && path != q.Path {
				continue
			}
			all := api.Doc.Paths[path].Operations()
			for _, verb := range slices.Sorted(maps.Keys(all)) {
				if q.Method == "" || strings.EqualFold(verb, q.Method) {
					rows = append(rows, apiRow{all[verb].Target.String(), title, api.Doc.BasePath, path, verb, strings.TrimSuffix(api.URL, "/") + path})
				}
			}
		}
	}
	return rows
}

func printAPIs(p *printer, rows []apiRow) {
	if len(rows) == 0 {
		p.printf("\n")
	}
	for _, r := range rows {
		p.printf("Action: %s\n   API Name: %s\n   Base path: %s\n   Path: %s\n   Verb: %s\n   URL: %s\n", r.action, r.name, r.base, r.path, r.verb, r.url)
	}
}

// printAPIRows prints one row each; two columns are as wide as they must, up to
// a bound.
func printAPIRows(p *printer, rows []apiRow) {
	action, name := 30, 19
	if len(rows) > 0 {
		action, name = len("Action"), len("API Name")
	}
	for _, r := range rows {
		action, name = max(action, min(40, len(r.action))), max(name, min(30, len(r.name)))
	}
	line := func(r apiRow) {
		p.printf("%-*s %7s %*s  %s\n", action, r.action[:min(len(r.action), action)], r.verb, name+1, r.name[:min(len(r.name), name)], r.url)
	}
	line(apiRow{action: "Action", verb: "Verb", name: "API Name", url: "URL"})
	for _, r := range rows {
		line(r)
	}
}
