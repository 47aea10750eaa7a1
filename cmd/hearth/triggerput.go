package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

// triggerFlags are the flags of create and update. --param is for the feed if
// there is one, else for the trigger; --feed-param and --trigger-param say
// which, and exclude it.
type triggerFlags struct {
	*entityPairs
	feed                      string // only of create
	feedParams, triggerParams pairs
}

const triggerParamsHelp = `--param gives parameters to the feed, if there is one, else to the trigger.
With --feed-param and --trigger-param instead, both can have some.`

func newTriggerCreateCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create TRIGGER_NAME",
		Short: "create new trigger",
		Long: `Create a trigger. With --feed, the feed's action is told of it; should it refuse,
the trigger is deleted again.

` + triggerParamsHelp,
		Example: `  hearth trigger create visit -p from web
  hearth trigger create tick --feed /whisk.system/alarms/alarm -p cron '0 * * * *'
  hearth trigger create tick --feed /whisk.system/alarms/interval -F minutes 5 -T from clock`,
	}
	t := addTriggerFlags(cmd)
	cmd.Flags().StringVarP(&t.feed, "feed", "f", "", "trigger feed `ACTION_NAME`")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, err := entityArg(args, "A trigger name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		return s.createTrigger(ctx, n, t)
	})
	return cmd
}

func newTriggerUpdateCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update TRIGGER_NAME",
		Short: "update an existing trigger, or create a trigger if it does not exist",
		Long: `Update an existing trigger, or create a trigger if it does not exist. Parameters
and annotations that are given replace all that were there. The feed of a
trigger stays; it is told of its new parameters.

` + triggerParamsHelp,
	}
	t := addTriggerFlags(cmd)
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, err := entityArg(args, "A trigger name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		existing, err := s.Trigger(ctx, n)
		switch {
		case client.StatusOf(err) == http.StatusNotFound:
			return s.createTrigger(ctx, n, t)
		case err != nil:
			return failed(err, "Unable to get trigger '%s'", n.Name)
		}
		return s.updateTrigger(ctx, n, existing, t)
	})
	return cmd
}

func addTriggerFlags(cmd *cobra.Command) *triggerFlags {
	t := &triggerFlags{
		entityPairs:   addEntityPairs(cmd),
		feedParams:    pairs{what: "feed parameter"},
		triggerParams: pairs{what: "trigger parameter"},
	}
	t.feedParams.addTo(cmd.Flags(), "F", "")
	t.triggerParams.addTo(cmd.Flags(), "T", "")
	return t
}

// triggerInput is what the flags come to.
type triggerInput struct {
	params, feedParams, annotations whisk.Parameters
	split                           bool // feed and trigger were given parameters each
}

func (t *triggerFlags) input(hasFeed bool) (in triggerInput, err error) {
	if in.params, in.annotations, err = t.read(); err != nil {
		return in, err
	}
	if in.split = len(t.feedParams.items)+len(t.triggerParams.items) > 0; in.split {
		if len(t.params.items) > 0 {
			return in, notAllowed("Incorrect usage. Cannot combine --feed-param or --trigger-param flag with neither --param nor --param-file flag")
		}
		if in.params, err = t.triggerParams.parameters(); err != nil {
			return in, err
		}
		in.feedParams, err = t.feedParams.parameters()
		return in, err
	}
	if hasFeed {
		in.params, in.feedParams = nil, in.params
	}
	return in, nil
}

func notAllowed(text string) error {
	return &exitError{code: exitNotAllowed, err: sorry("%s", text)}
}

func (s *session) createTrigger(ctx context.Context, n whisk.EntityName, t *triggerFlags) error {
	in, err := t.input(t.feed != "")
	if err != nil {
		return err
	}
	var feed entityName
	if t.feed != "" {
		if feed, err = parseActionName(t.feed); err != nil {
			return err
		}
		name, err := marshalPlain(feed.String())
		if err != nil {
			return err
		}
		in.annotations = in.annotations.Set("feed", name)
	} else if len(in.feedParams) > 0 {
		return notAllowed("Incorrect usage. Trigger without a feed cannot have feed parameters")
	}
	if _, err := s.PutTrigger(ctx, n, &client.Trigger{Name: n.Name, Annotations: in.annotations, Parameters: in.params}, false); err != nil {
		return failed(err, "Unable to create trigger '%s'", n.Name)
	}
	if t.feed != "" {
		inv, err := s.tellFeed(ctx, feed, client.FeedCreate, n, in.feedParams)
		if err != nil {
			err = failed(err, "Unable to create trigger '%s': Unable to configure feed '%s'", n.Name, feed)
			if s.deleteTrigger(context.WithoutCancel(ctx), n, in.feedParams) != nil {
				return &exitError{code: exitCode(err), err: fmt.Errorf("%w (the trigger stays)", err)}
			}
			return err
		}
		s.out.printf("ok: invoked %s with id %s\n", feed, inv.ID)
		s.out.json(sortKeys(inv.Body))
	}
	s.out.printf("ok: created trigger %s\n", n.Name)
	return nil
}

// updateTrigger changes a trigger that is there. Where the parameters are the
// feed's alone, only the feed is told.
func (s *session) updateTrigger(ctx context.Context, n whisk.EntityName, existing *client.Trigger, t *triggerFlags) error {
	name := existing.Feed()
	in, err := t.input(name != "")
	if err != nil {
		return err
	}
	if name == "" || in.split {
		if feed, ok := whisk.Parameters(existing.Annotations).Get("feed"); ok && len(in.annotations) > 0 {
			in.annotations = in.annotations.Set("feed", feed) // given ones replace all
		}
		if _, err := s.PutTrigger(ctx, n, &client.Trigger{Name: n.Name, Annotations: in.annotations, Parameters: in.params}, true); err != nil {
			return failed(err, "Unable to update trigger '%s'", n.Name)
		}
	}
	switch {
	case name == "" && len(in.feedParams) > 0:
		return sorry("Unable to configure feed '%s': this trigger does not contain a feed", n.Name)
	case name != "" && (!in.split || len(in.feedParams) > 0):
		feed, err := parseActionName(name)
		if err != nil {
			return err
		}
		inv, err := s.tellFeed(ctx, feed, client.FeedUpdate, n, in.feedParams)
		if err != nil {
			return failed(err, "Unable to update trigger '%s': Unable to configure feed '%s'", n.Name, name)
		}
		s.out.json(sortKeys(inv.Body))
	}
	s.out.printf("ok: updated trigger %s\n", n.Name)
	return nil
}

// deleteTrigger tells the trigger's feed, whose failure does not stop it, and
// deletes the trigger.
func (s *session) deleteTrigger(ctx context.Context, n whisk.EntityName, feedParams whisk.Parameters) error {
	t, err := s.Trigger(ctx, n)
	if err != nil {
		return failed(err, "Unable to get trigger '%s'", n.Name)
	}
	if feed, err := parseActionName(t.Feed()); err == nil {
		if inv, err := s.tellFeed(ctx, feed, client.FeedDelete, n, feedParams); err == nil {
			s.out.json(sortKeys(inv.Body))
		}
	}
	if err := s.DeleteTrigger(ctx, n); err != nil {
		return failed(err, "Unable to delete trigger '%s'", n.Name)
	}
	s.out.printf("ok: deleted trigger %s\n", n.Name)
	return nil
}
