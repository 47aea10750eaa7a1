package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newActionInvokeCmd(f *clientFlags) *cobra.Command {
	var o client.InvokeOptions
	params := pairs{what: "parameter"}
	cmd := &cobra.Command{
		Use:   "invoke ACTION_NAME",
		Short: "invoke action",
		Example: `  hearth action invoke hello                    # print the activation's id and go on
  hearth action invoke hello -b                 # wait, print the record
  hearth action invoke hello -r -p name you     # wait, print the result
  hearth action invoke hello -r -P params.json`,
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 1, 1, "An action name is required."); err != nil {
				return err
			}
			n, err := parseActionName(args[0])
			if err != nil {
				return err
			}
			body, err := params.object()
			if err != nil {
				return err
			}
			o.Blocking = o.Blocking || o.Result
			ctx, cancel := within(ctx)
			defer cancel()
			inv, err := s.Invoke(ctx, n.action(), body, o)
			if err != nil {
				return failedAction(err, "Unable to invoke action '%s'", n.entity())
			}
			return s.printInvocation(n, inv, o)
		}),
	}
	fs := cmd.Flags()
	params.addTo(fs, "p", "P")
	fs.BoolVarP(&o.Blocking, "blocking", "b", false, "blocking invoke")
	fs.BoolVarP(&o.Result, "result", "r", false, "blocking invoke; show only activation result (unless there is a failure)")
	return cmd
}

// printInvocation shows how an invocation went; what did not go well goes to
// stderr.
func (s *session) printInvocation(n entityName, inv *client.Invocation, o client.InvokeOptions) error {
	p := s.out
	var end error
	switch {
	case inv.Outcome == client.Failed:
		p, end = s.err, &exitError{code: exitFailed}
	case inv.Outcome == client.Accepted && o.Blocking:
		s.err.printf("ok: invoked %s, but the request has not yet finished, with id %s\n", n, inv.ID)
		return &exitError{code: exitUnended}
	}
	if !o.Result {
		p.printf("ok: invoked %s with id %s\n", n, inv.ID)
	}
	if o.Blocking {
		p.json(sortKeys(inv.Body))
	}
	return end
}
