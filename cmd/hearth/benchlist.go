package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"hearth/bench"
)

func newBenchListCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "list [SCENARIO]",
		Short: "Show the scenarios and floors, or what one scenario measures",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := append(args, "all")[:1]
			list, err := bench.FindScenarios(names)
			if err != nil {
				return usageError(err)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			if len(args) == 1 {
				listCases(w, list[0])
				return w.Flush()
			}
			_, _ = fmt.Fprintln(w, "Scenarios")
			for _, s := range list {
				_, _ = fmt.Fprintf(w, "  %s\t%s\n", s.Name, s.Title)
			}
			_, _ = fmt.Fprintln(w, "\nFloors")
			for _, n := range slices.Sorted(maps.Keys(bench.FloorAbout)) {
				_, _ = fmt.Fprintf(w, "  %s\t%s\n", n, bench.FloorAbout[n])
			}
			return w.Flush()
		},
	}
}

func listCases(w *tabwriter.Writer, s *bench.Scenario) {
	_, _ = fmt.Fprintf(w, "%s: %s\n\n%s\n\n", s.Name, s.Title, s.About)
	if s.Needs != "" {
		_, _ = fmt.Fprintf(w, "n/a: needs %s\n", s.Needs)
	}
	for _, c := range s.Cases {
		var figures []string
		for _, f := range c.Figures {
			figures = append(figures, f.String())
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", c.Name, strings.Join(figures, "; "))
	}
}
