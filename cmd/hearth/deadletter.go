package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newDeadLetterCmd() *cobra.Command {
	cmd, f := newClientGroup("deadletter", "work with calls that failed at their last attempt", `A queued call of an action with the annotation retry that fails at its last attempt is kept as a dead letter.

  hearth action update work work.js --annotation retry '{"attempts": 3, "backoff": "10s", "maxAge": "1h"}'
  hearth deadletter list            # what failed, last first
  hearth activation get ID          # the record of its last attempt
  hearth deadletter redrive ID      # run it again, as a new activation
  hearth deadletter delete ID       # or --all`)
	cmd.AddCommand(newDeadListCmd(f), newDeadGetCmd(f), newDeadRedriveCmd(f), newDeadDeleteCmd(f))
	return cmd
}

func newDeadListCmd(f *clientFlags) *cobra.Command {
	var skip, limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list dead letters",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 0, 0, "No arguments are required."); err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.DeadLetters(ctx, skip, limit)
			if err != nil {
				return failed(err, "Unable to list dead letters")
			}
			printDead(s.out, list)
			return nil
		}),
	}
	cmd.Flags().IntVarP(&skip, "skip", "s", 0, "exclude the first `SKIP` number of dead letters from the result")
	cmd.Flags().IntVarP(&limit, "limit", "l", 30, "only return `LIMIT` number of dead letters; 0 for as many as the server gives")
	return cmd
}

func printDead(p *printer, list []client.DeadLetter) {
	p.printf("%-19s %-32s %8s %-20s %s\n", "Ended", "Activation ID", "Attempts", "Entity", "Reason")
	for _, d := range list {
		p.printf("%-19s %-32s %8d %-20s %s\n", time.UnixMilli(d.Ended).Format(time.DateTime), d.ActivationID, d.Attempts, d.Name, d.Reason)
	}
}

func newDeadGetCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "get ACTIVATION_ID",
		Short: "get a dead letter",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 1, 1, "An activation ID is required."); err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			d, err := s.DeadLetter(ctx, args[0])
			if err != nil {
				return failed(err, "Unable to get dead letter '%s'", args[0])
			}
			s.out.printf("ok: got dead letter %s\n", args[0])
			s.out.json(d)
			return nil
		}),
	}
}

func newDeadRedriveCmd(f *clientFlags) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "redrive (ACTIVATION_ID... | --all)",
		Short: "run the call of a dead letter again",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if all {
				var err error
				if args, err = allDead(ctx, s); err != nil {
					return failed(err, "Unable to list dead letters")
				}
			} else if err := wordCount(args, 1, len(args), "An activation ID, or --all, is required."); err != nil {
				return err
			}
			for _, id := range args {
				if err := redriveOne(ctx, s, id); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "of all dead letters of the namespace")
	return cmd
}

// allDead returns the ids of all that there are now: what fails again while
// they are redriven is not among them.
func allDead(ctx context.Context, s *session) ([]string, error) {
	var ids []string
	for {
		page, cancel := within(ctx)
		list, err := s.DeadLetters(page, len(ids), 0)
		cancel()
		if err != nil || len(list) == 0 {
			return ids, err
		}
		for _, d := range list {
			ids = append(ids, d.ActivationID)
		}
	}
}

func redriveOne(ctx context.Context, s *session, id string) error {
	ctx, cancel := within(ctx)
	defer cancel()
	next, err := s.Redrive(ctx, id)
	if err != nil {
		return failed(err, "Unable to redrive dead letter '%s'", id)
	}
	s.out.printf("ok: dead letter %s runs again with id %s\n", id, next)
	return nil
}

func newDeadDeleteCmd(f *clientFlags) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "delete (ACTIVATION_ID | --all)",
		Short: "delete dead letters",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			id, want := "", 1
			if all {
				want = 0
			}
			if err := wordCount(args, want, want, "An activation ID, or --all, is required."); err != nil {
				return err
			}
			if !all {
				id = args[0]
			}
			ctx, cancel := within(ctx)
			defer cancel()
			n, err := s.DeleteDeadLetters(ctx, id)
			if err != nil {
				return failed(err, "Unable to delete dead letters")
			}
			s.out.printf("ok: deleted dead letters: %d\n", n)
			return nil
		}),
	}
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters of the namespace")
	return cmd
}
