package main

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
)

const (
	pollEvery = 2 * time.Second

	// pollOverlap is how far before the newest activation each poll looks
	// again: a record appears when its run has ended, under the time when it
	// began.
	pollOverlap = 10 * time.Minute
)

// pollFlags say from when and how long to poll.
type pollFlags struct {
	exit                         int // seconds; 0 is for ever
	seconds, minutes, hours, day int
}

func (f pollFlags) ago() time.Duration {
	return time.Duration(f.seconds)*time.Second + time.Duration(f.minutes)*time.Minute + time.Duration(f.hours+24*f.day)*time.Hour
}

func newActivationPollCmd(f *clientFlags) *cobra.Command {
	var pf pollFlags
	cmd := &cobra.Command{
		Use:   "poll [NAMESPACE | ACTION_NAME]",
		Short: "poll continuously for log messages from currently running actions",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 0, 1, "An optional namespace is the only valid argument."); err != nil {
				return err
			}
			p := &poller{from: s, out: s.out, seen: map[string]int64{}}
			if len(args) == 1 {
				p.name = args[0]
			}
			return p.run(ctx, pf)
		}),
	}
	fs := cmd.Flags()
	fs.IntVarP(&pf.exit, "exit", "e", 0, "stop polling after `SECONDS` seconds")
	fs.IntVar(&pf.seconds, "since-seconds", 0, "start polling for activations `SECONDS` seconds ago")
	fs.IntVar(&pf.minutes, "since-minutes", 0, "start polling for activations `MINUTES` minutes ago")
	fs.IntVar(&pf.hours, "since-hours", 0, "start polling for activations `HOURS` hours ago")
	fs.IntVar(&pf.day, "since-days", 0, "start polling for activations `DAYS` days ago")
	return cmd
}

// records is what a poller asks the server for.
type records interface {
	Activations(ctx context.Context, q client.ActivationQuery) ([]client.Activation, error)
	Logs(ctx context.Context, id string) ([]string, error)
}

// poller prints the logs of activations as they appear.
type poller struct {
	from  records
	out   *printer
	name  string           // of the action; "" is all
	first int64            // ms: nothing that began earlier is shown
	seen  map[string]int64 // shown, by id, with their start
}

func (p *poller) run(ctx context.Context, f pollFlags) error {
	p.out.printf("Enter Ctrl-c to exit.\n")
	if ago := f.ago(); ago != 0 {
		p.first = time.Now().Add(-ago).UnixMilli()
	} else if err := p.fromNow(ctx); err != nil {
		return err
	}
	p.out.printf("Polling for activation logs\n")
	// The end is checked between polls: what has begun is shown.
	end := make(<-chan time.Time)
	if f.exit > 0 {
		t := time.NewTimer(time.Duration(f.exit) * time.Second)
		defer t.Stop()
		end = t.C
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := p.poll(ctx); lasting(err) {
			return failed(err, "Unable to obtain the list of activations for namespace 'default'")
		}
		if p.out.err != nil {
			return p.out.err
		}
		select {
		case <-ctx.Done():
			p.out.printf("Poll terminated\n")
			return &exitError{code: exitGeneral}
		case <-end:
			return nil
		case <-tick.C:
		}
	}
}

// fromNow starts behind the newest activation: the server's clock counts.
func (p *poller) fromNow(ctx context.Context) error {
	ctx, cancel := within(ctx)
	defer cancel()
	list, err := p.from.Activations(ctx, client.ActivationQuery{Limit: 1})
	switch {
	case lasting(err):
		return failed(err, "Unable to obtain the list of activations for namespace 'default'")
	case err != nil:
		p.first = time.Now().UnixMilli()
	case len(list) > 0:
		p.first = list[0].Start + 1
	}
	return nil
}

// poll shows what is new, oldest first. What could not be fetched is tried
// again next time.
func (p *poller) poll(ctx context.Context) error {
	ctx, cancel := within(ctx)
	defer cancel()
	list, err := p.from.Activations(ctx, client.ActivationQuery{Name: p.name, Since: p.since()})
	if err != nil {
		return err
	}
	for _, a := range slices.Backward(list) {
		if _, ok := p.seen[a.ActivationID]; ok {
			continue
		}
		lines, err := p.from.Logs(ctx, a.ActivationID)
		if err != nil {
			if lasting(err) { // gone already: nothing will come of asking again
				p.seen[a.ActivationID] = a.Start
			}
			continue
		}
		p.out.printf("\nActivation: '%s' (%s)\n", a.Name, a.ActivationID)
		p.out.json(lines)
		p.seen[a.ActivationID] = a.Start
	}
	return nil
}

// since returns from where to list, and forgets what lies before it.
func (p *poller) since() int64 {
	from := p.first
	for _, start := range p.seen {
		from = max(from, start-pollOverlap.Milliseconds())
	}
	for id, start := range p.seen {
		if start < from {
			delete(p.seen, id)
		}
	}
	return from
}

// lasting reports whether err will be the same next time: a refusal, but not
// one for being too early.
func lasting(err error) bool {
	status := client.StatusOf(err)
	return status >= 400 && status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}
