package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/bench"
)

// benchLoad are the settings of `hearth bench load`.
type benchLoad struct {
	plan    bench.Plan
	arrival string
	trace   string // file
	url     string
	actions []string
	zipf    float64
	who     clientFlags
	method  string
	headers []string
	body    string
	size    int
	echo    bool
	record  bool
	async   bool
	timeout time.Duration
	watch   map[string]string // label to process id
	report  string
}

func newBenchLoadCmd() *cobra.Command {
	var l benchLoad
	cmd := &cobra.Command{
		Use:   "load URL | load --action NAME",
		Short: "Load a URL or an action as you say",
		Long: `Load sends requests and reports what came of them: rate, latency, errors by class.

A closed loop (-c clients, each sends when its last request was answered) finds the highest rate. An
open loop (--arrival constant, poisson, ramp or burst with --rate, or --trace) sends requests when they
are due, whatever the server does; latency counts from then, so a stall shows in full.

  hearth bench load http://127.0.0.1:8080/ -c 64 -d 10s
  hearth bench load http://127.0.0.1:8080/ --arrival poisson --rate 500 -d 30s
  hearth bench load --action hello --size 1024 --echo           # bodies told apart, answers verified
  hearth bench load --action a --action b --action c --zipf 1   # the first the most popular
  hearth bench load --action hello --record                     # also wait, init and run from records
  hearth bench load --action hello --watch hearth=$(pgrep -f 'hearth up')

Actions are invoked as the client commands do it (see hearth property; --apihost and --auth). A server
that throttles (429) ends the load: lift its limits or ask for less.`,
		Args: cobra.MaximumNArgs(1),
	}
	fs := cmd.Flags()
	fs.StringVar(&l.arrival, "arrival", "closed", "closed, constant, poisson, ramp or burst")
	fs.IntVarP(&l.plan.Concurrency, "concurrency", "c", 0, "clients of a closed loop (default 1); most requests at once of an open one (default 1024)")
	fs.Float64Var(&l.plan.Rate, "rate", 0, "requests per second of an open loop (ramp: at its end)")
	fs.DurationVarP(&l.plan.Duration, "duration", "d", 0, "how long (default 10s, unless --count or --trace is given)")
	fs.Int64VarP(&l.plan.Count, "count", "n", 0, "how many requests at most")
	fs.DurationVar(&l.plan.Warmup, "warmup", 0, "load before that is not recorded")
	fs.Uint64Var(&l.plan.Seed, "seed", 1, "of what is drawn by chance")
	fs.StringVar(&l.trace, "trace", "", "`FILE` with the times at which requests are due, in seconds from the start, one a line")
	fs.StringArrayVar(&l.actions, "action", nil, "invoke this action; may be repeated")
	fs.Float64Var(&l.zipf, "zipf", 0, "with several actions: the exponent of their popularity; 0 is even")
	fs.StringVar(&l.who.host, "apihost", "", "API `HOST` of --action")
	fs.StringVarP(&l.who.auth, "auth", "u", "", "authorization `KEY` of --action")
	fs.BoolVarP(&l.who.insecure, "insecure", "i", false, "accept any server certificate: for trials only")
	fs.StringVar(&l.method, "method", "", "HTTP method (default GET, POST with a body)")
	fs.StringArrayVarP(&l.headers, "header", "H", nil, "further `NAME: VALUE`; may be repeated")
	fs.StringVar(&l.body, "body", "", "body of each request; @FILE reads it")
	fs.IntVar(&l.size, "size", 0, "bytes of numbered JSON bodies, each different, in place of --body")
	fs.BoolVar(&l.echo, "echo", false, "with --size: count answers (results) that are not the body as wrong")
	fs.BoolVar(&l.record, "record", false, "ask for whole records: wait, init, run, kinds of start")
	fs.BoolVar(&l.async, "async", false, "do not wait for the actions' ends")
	fs.DurationVar(&l.timeout, "timeout", 0, "of one request (default 70s)")
	fs.StringToStringVar(&l.watch, "watch", nil, "measure CPU and memory of these processes: `LABEL=PID`")
	fs.StringVar(&l.report, "report", "", "folder for report.txt, report.json and report.html")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) == 1) == (len(l.actions) > 0) {
			return usageError(errors.New("what to load? Give a URL, or --action NAME"))
		}
		if len(args) == 1 {
			l.url = args[0]
		}
		return l.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

func (l *benchLoad) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := l.complete(); err != nil {
		return err
	}
	cfg, err := l.target()
	if err != nil {
		return err
	}
	var failure bench.FirstFailure
	cfg.Check = failure.Watch(cfg.Check)
	t, err := bench.NewHTTPTarget(cfg)
	if err != nil {
		return usageError(err)
	}
	defer t.Close()
	meter, err := l.meter()
	if err != nil {
		return err
	}
	var show func(bench.Progress)
	if f, ok := stderr.(*os.File); ok {
		show = bench.ProgressLine(f, "load")
	}
	began := time.Now()
	res, runErr := bench.Run(ctx, l.plan, t, meter.Watch(show))
	if res == nil {
		return usageError(runErr)
	}
	if len(l.watch) > 0 {
		meter.Fill(res)
	}
	if err := res.WriteText(stdout); err != nil {
		return err
	}
	if l.report != "" {
		if err := os.MkdirAll(l.report, 0o755); err != nil {
			return err
		}
		r := &bench.Report{Title: "hearth bench load", Version: buildVersion(), Began: began, Took: int64(time.Since(began)), Host: bench.ThisHost(), Rows: res.Rows("load")}
		if err := writeReport(r, l.report, io.Discard); err != nil {
			return err
		}
	}
	if text := failure.String(); text != "" {
		_, _ = fmt.Fprintln(stdout, "the first failure:", text)
	}
	if runErr == nil && res.Count > 0 && res.ErrorCount() == res.Count {
		runErr = sorry("all %d requests failed", res.Count)
	}
	return runErr
}

// complete sets what follows from other settings.
func (l *benchLoad) complete() error {
	l.plan.Arrival = bench.Arrival(l.arrival)
	if l.trace != "" {
		var err error
		l.plan.Arrival = bench.Trace
		if l.plan.Trace, err = readTrace(l.trace); err != nil {
			return err
		}
	} else if l.plan.Duration == 0 && l.plan.Count == 0 {
		l.plan.Duration = 10 * time.Second
	}
	if l.plan.Arrival == bench.Closed && l.plan.Concurrency == 0 {
		l.plan.Concurrency = 1
	}
	if err := l.plan.Validate(); err != nil {
		return usageError(err)
	}
	switch {
	case l.size < 0 || l.size > 64<<20:
		return usageError(errors.New("--size must be within 0 and 64 MB"))
	case l.echo && l.size == 0:
		return usageError(errors.New("--echo needs --size: only numbered bodies can be told apart"))
	case l.body != "" && l.size > 0:
		return usageError(errors.New("--body and --size exclude each other"))
	case (l.record || l.async || l.zipf != 0) && len(l.actions) == 0:
		return usageError(errors.New("--record, --async and --zipf are for --action"))
	case l.record && l.async:
		return usageError(errors.New("--record and --async exclude each other"))
	}
	return nil
}

// meter measures the processes of --watch.
func (l *benchLoad) meter() (*bench.Meter, error) {
	var list []bench.Process
	for label, text := range l.watch {
		pid, err := strconv.Atoi(text)
		if err != nil || pid < 1 {
			return nil, usageError(fmt.Errorf("--watch %s=%s: want a process id", label, text))
		}
		list = append(list, bench.Process{Label: label, PID: pid})
	}
	return bench.NewMeter(list...), nil
}

// readTrace reads the times of arrivals.
func readTrace(name string) ([]time.Duration, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var times []time.Duration
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		s, err := strconv.ParseFloat(text, 64)
		if err != nil || !(s >= 0 && s < 1e6) {
			return nil, fmt.Errorf("%s:%d: %q: want seconds from the start", name, n, text)
		}
		times = append(times, time.Duration(s*float64(time.Second)))
	}
	slices.Sort(times)
	return times, lines.Err()
}
