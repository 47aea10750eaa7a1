package main

import "github.com/spf13/cobra"

func newBenchCmd() *cobra.Command {
	cmd := newGroup("bench", "Make load, measure, and compare", `Bench makes load and measures what comes of it.`)
	cmd.AddCommand(newBenchFloorCmd())
	return cmd
}
