package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
)

// completionTime bounds what a shell waits for names.
const completionTime = 2 * time.Second

// lister lists the names that a command's first word may be.
type lister func(ctx context.Context, s *session) ([]string, error)

// completeFirst lets shells complete the first word of the commands of a group
// to names on the server. Without a server there is nothing to complete to.
func completeFirst(group *cobra.Command, f *clientFlags, list lister, verbs ...string) {
	for _, cmd := range group.Commands() {
		for _, verb := range verbs {
			if cmd.Name() == verb {
				cmd.ValidArgsFunction = f.complete(list)
			}
		}
	}
}

func (f *clientFlags) complete(list lister) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		a, err := f.account()
		if len(args) > 0 || err != nil {
			return nil, cobra.ShellCompDirectiveDefault // later words may be files
		}
		c, err := f.client(a, io.Discard)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		names, err := list(ctx, &session{Client: c, account: a})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []cobra.Completion
		for _, n := range names {
			if strings.HasPrefix(n, begun) {
				out = append(out, n)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

func listActions(ctx context.Context, s *session) ([]string, error) {
	list, err := s.Actions(ctx, "", "", 0, 0)
	return namesOf(list, func(a *client.Action) string {
		if _, pkg, ok := strings.Cut(a.Namespace, "/"); ok {
			return pkg + "/" + a.Name
		}
		return a.Name
	}), err
}

func listPackages(ctx context.Context, s *session) ([]string, error) {
	list, err := s.Packages(ctx, "", 0, 0)
	return namesOf(list, func(p *client.Package) string { return p.Name }), err
}

func listTriggers(ctx context.Context, s *session) ([]string, error) {
	list, err := s.Triggers(ctx, "", 0, 0)
	return namesOf(list, func(t *client.Trigger) string { return t.Name }), err
}

func listRules(ctx context.Context, s *session) ([]string, error) {
	list, err := s.Rules(ctx, "", 0, 0)
	return namesOf(list, func(r *client.Rule) string { return r.Name }), err
}

func namesOf[T any](list []T, name func(*T) string) []string {
	var out []string
	for i := range list {
		out = append(out, visible(name(&list[i])))
	}
	return out
}
