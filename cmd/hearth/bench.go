package main

import "github.com/spf13/cobra"

func newBenchCmd() *cobra.Command {
	cmd := newGroup("bench", "Make load, measure, and compare",
		`Bench makes load and measures what comes of it, for Hearth, any OpenWhisk server, or any HTTP server.

  hearth bench list                                  # the scenarios and floors
  hearth bench run blocking-one-action               # start a server, measure it against its floor, stop it
  hearth bench run all --report out/                 # everything, with text, JSON and HTML reports
  hearth bench run all --host https://ow.example --auth "$KEY"
  hearth bench load --action hello -c 16 -d 10s      # load of your own choice
  hearth bench load http://127.0.0.1:8080/ --arrival poisson --rate 500
  hearth bench compare before/report.json after/report.json

A floor is the least that the same work can cost on this machine, measured in the same minutes; a
figure's ratio to its floor holds on any machine, the figure itself does not. What else runs on the
machine disturbs both: keep it quiet.`)
	cmd.AddCommand(newBenchRunCmd(), newBenchLoadCmd(), newBenchCompareCmd(), newBenchListCmd(), newBenchFloorCmd())
	return cmd
}
