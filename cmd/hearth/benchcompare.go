package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"hearth/bench"
)

func newBenchCompareCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Set one report against an earlier one",
		Long: `Compare prints what B's figures are to A's, with the range that holds the true ratio with 95%
confidence. A range that covers 1 shows no difference. Reports of different machines, or of different
hours on one machine, compare by their ratios to the floor alone.

  hearth bench compare before/report.json after/report.json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var reports [2]*bench.Report
			for i, name := range args {
				var err error
				if reports[i], err = readReport(name); err != nil {
					return err
				}
			}
			return bench.Compare(reports[0], reports[1]).WriteText(cmd.OutOrStdout())
		},
	}
}

func readReport(name string) (*bench.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := bench.ReadReport(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
