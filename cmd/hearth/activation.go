package main

import (
	"context"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newActivationCmd() *cobra.Command {
	cmd, f := newClientGroup("activation", "work with activations", `An activation is one run of an action, and its record.

  hearth activation list                # the newest first
  hearth activation get --last          # all of one record
  hearth activation logs --last --strip # what it printed
  hearth activation result ID           # what it answered
  hearth activation cancel ID           # end one that has not started yet
  hearth activation poll                # follow the logs of all that runs`)
	cmd.AddCommand(newActivationListCmd(f), newActivationGetCmd(f), newActivationLogsCmd(f),
		newActivationResultCmd(f), newActivationPollCmd(f), newActivationCancelCmd(f))
	completeFirst(cmd, f, listActivations, "get", "logs", "result")
	completeFirst(cmd, f, listActions, "list", "poll")
	return cmd
}

func newActivationGetCmd(f *clientFlags) *cobra.Command {
	var last, summary, logs bool
	cmd := &cobra.Command{
		Use:   "get (ACTIVATION_ID | --last) [FIELD_FILTER]",
		Short: "get activation",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ctx, cancel := within(ctx)
			defer cancel()
			args, err := s.orLast(ctx, last, args)
			if err != nil {
				return failed(err, "Unable to get activation")
			}
			if err := wordCount(args, 1, 2, "An activation ID is required."); err != nil {
				return err
			}
			id, field := args[0], ""
			if len(args) == 2 {
				if field = args[1]; !hasField(&client.Activation{}, field) {
					return sorry("Invalid field filter '%s'.", field)
				}
			}
			a, err := s.Activation(ctx, id)
			if err != nil {
				return failed(err, "Unable to get activation '%s'", id)
			}
			a.Response.Result, a.Annotations = sortKeys(a.Response.Result), sortValues(a.Annotations)
			switch {
			case summary:
				s.out.printf("activation result for '/%s/%s' (%s at %s)\n", a.Namespace, a.Name, a.Response.Status, time.Unix(a.End/1000, 0))
				s.out.json(a.Response.Result)
			case logs:
				printLogs(s.out, a.Logs, true)
			case field != "":
				s.out.printf("ok: got activation %s, displaying field %s\n", id, field)
				s.out.json(fieldOf(a, field))
			default:
				s.out.printf("ok: got activation %s\n", id)
				s.out.json(a)
			}
			return nil
		}),
	}
	fs := cmd.Flags()
	fs.BoolVarP(&last, "last", "l", false, "retrieves the last activation")
	fs.BoolVarP(&summary, "summary", "s", false, "summarize activation details")
	fs.BoolVarP(&logs, "logs", "g", false, "emit only the logs, stripped of time stamps and stream identifier")
	return cmd
}

func newActivationLogsCmd(f *clientFlags) *cobra.Command {
	var last, strip bool
	cmd := &cobra.Command{
		Use:   "logs (ACTIVATION_ID | --last)",
		Short: "get the logs of an activation",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ctx, cancel := within(ctx)
			defer cancel()
			args, err := s.orLast(ctx, last, args)
			if err != nil {
				return failed(err, "Unable to get logs for activation")
			}
			if err := wordCount(args, 1, 1, "An activation ID is required."); err != nil {
				return err
			}
			lines, err := s.Logs(ctx, args[0])
			if err != nil {
				return failed(err, "Unable to get logs for activation '%s'", args[0])
			}
			printLogs(s.out, lines, strip)
			return nil
		}),
	}
	cmd.Flags().BoolVarP(&last, "last", "l", false, "retrieves the last activation")
	cmd.Flags().BoolVarP(&strip, "strip", "r", false, "strip timestamp and stream information")
	return cmd
}

func newActivationResultCmd(f *clientFlags) *cobra.Command {
	var last bool
	cmd := &cobra.Command{
		Use:   "result (ACTIVATION_ID | --last)",
		Short: "get the result of an activation",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ctx, cancel := within(ctx)
			defer cancel()
			args, err := s.orLast(ctx, last, args)
			if err != nil {
				return failed(err, "Unable to get result for activation")
			}
			if err := wordCount(args, 1, 1, "An activation ID is required."); err != nil {
				return err
			}
			r, err := s.Result(ctx, args[0])
			if err != nil {
				return failed(err, "Unable to get result for activation '%s'", args[0])
			}
			s.out.json(sortKeys(r.Result))
			return nil
		}),
	}
	cmd.Flags().BoolVarP(&last, "last", "l", false, "retrieves the last activation")
	return cmd
}

func newActivationCancelCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ACTIVATION_ID",
		Short: "end an activation that has not started yet",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 1, 1, "An activation ID is required."); err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			if _, err := s.Cancel(ctx, args[0]); err != nil {
				return failed(err, "Unable to cancel activation '%s'", args[0])
			}
			s.out.printf("ok: cancelled activation %s\n", args[0])
			return nil
		}),
	}
}

// orLast puts the newest activation's id in front of args if last is set.
func (s *session) orLast(ctx context.Context, last bool, args []string) ([]string, error) {
	if !last {
		return args, nil
	}
	list, err := s.Activations(ctx, client.ActivationQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, refuse(exitGeneral, "Activation list does not contain any activations.")
	}
	return append([]string{list[0].ActivationID}, args...), nil
}

func printLogs(p *printer, lines []string, strip bool) {
	for _, l := range lines {
		if strip {
			l = stripStamp(l)
		}
		p.printf("%s\n", l)
	}
}

var stamp = regexp.MustCompile(`\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d.\d+Z( *(stdout|stderr):)?\s(.*)`)

// stripStamp returns a log line without timestamp and stream. One that has
// neither, or nothing behind them, stays as it is.
func stripStamp(line string) string {
	if m := stamp.FindStringSubmatch(line); m != nil && m[3] != "" {
		return m[3]
	}
	return line
}
