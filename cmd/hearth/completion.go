package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

// completionTime bounds what a shell waits for names.
const completionTime = 2 * time.Second

// lister lists the names that a word of a command may be.
type lister func(ctx context.Context, s *session) ([]string, error)

// completeFirst lets shells complete the first word of the commands of a group
// to names on the server.
func completeFirst(group *cobra.Command, f *clientFlags, list lister, verbs ...string) {
	for _, verb := range verbs {
		completeWords(group, f, verb, list)
	}
}

// completeWords lets shells complete the words of a group's command to names on
// the server: a nil stands for a word that is new, and what comes behind the
// last may be files. Without a server there is nothing to complete to.
func completeWords(group *cobra.Command, f *clientFlags, verb string, lists ...lister) {
	for _, cmd := range group.Commands() {
		if cmd.Name() == verb {
			cmd.ValidArgsFunction = f.complete(lists...)
		}
	}
}

// completeFlag lets shells complete the value of a flag of a group's commands,
// those that have it.
func completeFlag(group *cobra.Command, f *clientFlags, flag string, list lister) {
	for _, cmd := range group.Commands() {
		if cmd.Flags().Lookup(flag) != nil {
			named := f.complete(list)
			_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return named(cmd, nil, begun)
			}) // it fails only for flags that are not there
		}
	}
}

func (f *clientFlags) complete(lists ...lister) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		a, err := f.account()
		if len(args) >= len(lists) || err != nil {
			return nil, cobra.ShellCompDirectiveDefault // it may be a file
		}
		list := lists[len(args)]
		if list == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
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

// listOf lists words that no server has to be asked for.
func listOf(words ...string) lister {
	return func(context.Context, *session) ([]string, error) { return words, nil }
}

func listKinds(ctx context.Context, s *session) ([]string, error) {
	families, err := s.Runtimes(ctx)
	var out []string
	for family, kinds := range families {
		out = append(append(out, family+":default"), kinds...)
	}
	slices.Sort(out)
	return out, err
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

func listBasePaths(ctx context.Context, s *session) ([]string, error) {
	list, err := s.APIs(ctx, s.routeQuery())
	return namesOf(list, func(a *client.API) string {
		if a.Doc == nil {
			return ""
		}
		return a.Doc.BasePath
	}), err
}

// listActivations lists the newest activations' ids.
func listActivations(ctx context.Context, s *session) ([]string, error) {
	list, err := s.Activations(ctx, client.ActivationQuery{Limit: 20})
	return namesOf(list, func(a *client.Activation) string { return a.ActivationID }), err
}

// listFeeds lists the feeds that every namespace can use.
func listFeeds(ctx context.Context, s *session) ([]string, error) {
	const system = "whisk.system"
	packages, err := s.Packages(ctx, system, 0, 0)
	var out []string
	for i := range packages {
		p, err := s.Package(ctx, whisk.EntityName{Namespace: system, Name: packages[i].Name})
		if err != nil {
			continue // the others may do
		}
		out = append(out, namesOf(p.Feeds, func(a *client.Action) string { return "/" + system + "/" + p.Name + "/" + a.Name })...)
	}
	return out, err
}
