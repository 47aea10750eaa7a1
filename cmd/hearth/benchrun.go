package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/bench"
	"hearth/store/postgres"
)

// benchRun are the settings of `hearth bench run`.
type benchRun struct {
	suite  bench.SuiteConfig
	quick  bool
	report string
	args   []string
}

func newBenchRunCmd() *cobra.Command {
	r := benchRun{suite: bench.DefaultSuiteConfig()}
	cmd := &cobra.Command{
		Use:   "run all|SCENARIO|FILE...",
		Short: "Run scenarios and report each figure with its ratio to its floor",
		Long: `Run measures scenarios (see hearth bench list; a path names a file of your own).

Without --host it starts fresh servers from this program, with their state in a temporary folder, and
stops them at the end. With --host it measures that server, be it Hearth or another OpenWhisk; what
needs a server of its own is then left out, and floors are measured only if the host is this machine.
A server that throttles (429) ends the run: lift its limits first.

Measurements come in rounds: a figure's floor, the figure, the next figure's floor, and so on, then all
over again. A ratio is the median over the rounds; its range says how far to trust it.

  hearth bench run blocking-one-action --rounds 3 --duration 2s
  hearth bench run all --report out/
  hearth bench run zipf-mix --profile prof/      # then: go tool pprof -http : prof/FILE`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(errors.New("which scenario? Say all, or a name of hearth bench list"))
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.IntVar(&r.suite.Rounds, "rounds", r.suite.Rounds, "how often each measurement is repeated")
	fs.DurationVar(&r.suite.Duration, "duration", r.suite.Duration, "how long each takes (some take a share of it)")
	fs.DurationVar(&r.suite.Warmup, "warmup", r.suite.Warmup, "load before each that is not recorded")
	fs.DurationVar(&r.suite.Settle, "settle", r.suite.Settle, "load before the first round")
	fs.BoolVar(&r.quick, "quick", false, "one round of 300 ms with small counts: to see that it works, not how fast it is")
	fs.StringVar(&r.report, "report", "", "folder for report.txt, report.json and report.html")
	fs.StringVar(&r.suite.Profile, "profile", "", "folder for CPU profiles of the servers, one for each case")
	fs.StringVar(&r.suite.Host, "host", "", "URL of a server to measure instead of starting some")
	fs.StringVar(&r.suite.Key, "auth", "", "UUID:KEY for --host (default: the variable WHISK_AUTH)")
	fs.BoolVarP(&r.suite.Insecure, "insecure", "i", false, "accept any certificate of --host")
	fs.Uint64Var(&r.suite.Seed, "seed", r.suite.Seed, "of everything that is drawn by chance")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		list, err := bench.FindScenarios(args)
		if err != nil {
			return usageError(err)
		}
		r.args = args
		if r.quick {
			q := bench.QuickSuiteConfig()
			r.suite.Rounds, r.suite.Duration, r.suite.Settle, r.suite.Warmup, r.suite.Quick = q.Rounds, q.Duration, q.Settle, q.Warmup, true
		}
		return r.run(cmd.Context(), list, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

func (r *benchRun) run(ctx context.Context, list []*bench.Scenario, stdout, stderr io.Writer) (err error) {
	if r.suite.Exe, err = os.Executable(); err != nil {
		return err
	}
	// What the environment says of servers is not for those that bench starts.
	if dsn := os.Getenv(dsnVariable); dsn != "" {
		made := 0
		r.suite.Database = func(ctx context.Context) (string, func(context.Context) error, error) {
			made++
			return postgres.MakeSchema(ctx, dsn, fmt.Sprintf("hearth_bench_%d_%d", os.Getpid(), made))
		}
	}
	r.suite.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HEARTH_") })
	if r.suite.Key == "" {
		r.suite.Key = os.Getenv("WHISK_AUTH")
	}
	for _, dir := range []string{r.report, r.suite.Profile} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
	}
	r.suite.Say = func(line string) { _, _ = fmt.Fprintln(stderr, line) }
	if f, ok := stderr.(*os.File); ok {
		r.suite.Watch = func(title string) func(bench.Progress) { return bench.ProgressLine(f, title) }
	}
	report := &bench.Report{Title: "hearth bench run " + strings.Join(r.args, " "), Version: buildVersion(), Began: time.Now(), Host: bench.ThisHost()}
	report.Notes = r.notes()
	if r.report != "" { // a run takes long: what it has is kept, whatever ends it
		r.suite.SoFar = func(rows []bench.Row) {
			report.Rows, report.Took = rows, int64(time.Since(report.Began))
			if err := writeReport(report, r.report, io.Discard); err != nil {
				r.suite.Say("the report so far could not be written: " + err.Error())
			}
		}
	}
	s, err := bench.NewSuite(r.suite)
	if err != nil {
		return usageError(err)
	}
	report.Rows, err = s.Run(ctx, list)
	report.Took = int64(time.Since(report.Began))
	if err != nil {
		report.Notes = append(report.Notes, "The run ended early: "+err.Error())
	}
	if len(report.Rows) > 0 {
		err = errors.Join(err, writeReport(report, r.report, stdout))
	}
	return err
}

// notes say how the run was made, as far as that is not as usual.
func (r *benchRun) notes() []string {
	notes := []string{fmt.Sprintf("%d rounds of %s each, after %s of warm-up.", r.suite.Rounds, r.suite.Duration, r.suite.Warmup)}
	if r.suite.Quick {
		notes = append(notes, "A quick run: it shows that all works, not how fast it is.")
	}
	if r.suite.Host != "" {
		notes = append(notes, "Measured on "+r.suite.Host+", which was there before.")
	}
	return notes
}

// writeReport prints the report, and writes it into the folder in all its
// forms if one is given.
func writeReport(r *bench.Report, dir string, stdout io.Writer) error {
	err := r.WriteText(stdout)
	if dir == "" {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"report.txt": r.WriteText, "report.json": r.WriteJSON, "report.html": r.WriteHTML,
	} {
		f, ferr := os.Create(filepath.Join(dir, name))
		if ferr != nil {
			return errors.Join(err, ferr)
		}
		err = errors.Join(err, write(f), f.Close())
	}
	return err
}
