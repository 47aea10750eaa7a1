package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

func newActivationListCmd(f *clientFlags) *cobra.Command {
	var q client.ActivationQuery
	cmd := &cobra.Command{
		Use:   "list [NAMESPACE or NAME]",
		Short: "list activations",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 0, 1, "An optional namespace is the only valid argument."); err != nil {
				return err
			}
			if len(args) == 1 {
				n, err := parseEntityName(args[0])
				if err != nil {
					return err
				}
				q.Name = n.entity()
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Activations(ctx, q)
			if err != nil {
				return failed(err, "Unable to obtain the list of activations for namespace 'default'")
			}
			if q.Full {
				printRecords(s.out, list)
			} else {
				printActivations(s.out, list)
			}
			return nil
		}),
	}
	fs := cmd.Flags()
	fs.IntVarP(&q.Skip, "skip", "s", 0, "exclude the first `SKIP` number of activations from the result")
	fs.IntVarP(&q.Limit, "limit", "l", 30, "only return `LIMIT` number of activations from the collection with a maximum LIMIT of 200 activations")
	fs.BoolVarP(&q.Full, "full", "f", false, "include full activation description")
	fs.Int64Var(&q.Upto, "upto", 0, "return activations with timestamps earlier than `UPTO`; measured in milliseconds since Th, 01, Jan 1970")
	fs.Int64Var(&q.Since, "since", 0, "return activations with timestamps later than `SINCE`; measured in milliseconds since Th, 01, Jan 1970")
	return cmd
}

func printRecords(p *printer, list []client.Activation) {
	p.printf("activations\n")
	for i := range list {
		a := list[i]
		a.Response.Result, a.Annotations = sortKeys(a.Response.Result), sortValues(a.Annotations)
		p.json(a)
	}
}

// printActivations prints one row each; two columns are as wide as they must.
func printActivations(p *printer, list []client.Activation) {
	if len(list) == 0 {
		p.printf("\n")
		return
	}
	kindWidth, statusWidth := len("Kind"), len(statusText(whisk.Success))
	for i := range list {
		kindWidth = max(kindWidth, len(kindText(&list[i])))
		statusWidth = max(statusWidth, len(statusText(list[i].StatusCode)))
	}
	p.printf("%-19s %-32s %-*s %-6s%-10s %-*s %-6s\n", "Datetime", "Activation ID", kindWidth, "Kind", "Start", "Duration", statusWidth, "Status", "Entity")
	for i := range list {
		a := &list[i]
		p.printf("%s %-32s %-*s %-5s %-10v %-*s %s\n",
			time.UnixMilli(a.Start).Format(time.DateTime), a.ActivationID, kindWidth, kindText(a), startText(a),
			tookTime(a), statusWidth, statusText(a.StatusCode), entityText(a))
	}
}

func kindText(a *client.Activation) string {
	if k := annotationText(a.Annotations, "kind"); k != "" {
		return k
	}
	return "unknown"
}

// startText says cold for whatever had to be initialised: lists tell no more.
func startText(a *client.Activation) string {
	if _, ok := whisk.Parameters(a.Annotations).Get("initTime"); ok {
		return "cold"
	}
	return "warm"
}

func tookTime(a *client.Activation) time.Duration {
	if a.Duration == 0 {
		return 0
	}
	return time.Duration(a.End-a.Start) * time.Millisecond
}

func statusText(s whisk.Status) string {
	switch s {
	case whisk.ApplicationError:
		return "application error"
	case whisk.DeveloperError:
		return "developer error"
	case whisk.WhiskError:
		return "internal error"
	}
	return "success"
}

func entityText(a *client.Activation) string {
	return fmt.Sprintf("%s/%s:%s", shorten(a.Namespace, 20), shorten(a.Name, 30), shorten(a.Version, 20))
}

// shorten cuts the middle out of a text of more than most bytes (more than 3),
// so that "..." and the rest have about that many.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	tail := len(s) - most/2 + 3
	return s[:(most+1)/2] + "..." + s[tail:]
}
