package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
)

// shown is one property as property get prints it: those with a wide label
// have one tab behind it, others two.
type shown struct {
	flag, label string
	tabs        string
	value       func(ctx context.Context, s *session) string
	local       bool // no server is needed to know it
}

var shownProperties = []shown{
	{"apihost", "whisk API host", "\t\t", func(_ context.Context, s *session) string { return s.account.host }, true},
	{"auth", "whisk auth", "\t\t", func(_ context.Context, s *session) string { return s.account.auth }, true},
	{"namespace", "whisk namespace", "\t\t", func(ctx context.Context, s *session) string { return s.namespaceOf(ctx) }, false},
	{"cert", "client cert", "\t\t", func(_ context.Context, s *session) string { return s.account.cert }, true},
	{"key", "Client key", "\t\t", func(_ context.Context, s *session) string { return s.account.key }, true},
	{"apiversion", "whisk API version", "\t", func(_ context.Context, s *session) string { return s.account.version }, true},
	{"cliversion", "whisk CLI version", "\t", func(context.Context, *session) string { return buildVersion() }, true},
}

func newPropertyGetCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "get", Short: "get property", Args: noWords}
	fs := cmd.Flags()
	for _, p := range shownProperties {
		fs.Bool(p.flag, false, p.label)
	}
	fs.Bool("apibuild", false, "whisk API build version")
	fs.Bool("apibuildno", false, "whisk API build number")
	fs.Bool("all", false, "all properties")
	fs.StringP("output", "o", "std", "output `FORMAT`: std or raw (the value alone)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		format, _ := fs.GetString("output")
		if format != "std" && format != "raw" {
			return sorry("Supported output format are std|raw")
		}
		want := map[string]bool{}
		for _, p := range append([]string{"apibuild", "apibuildno", "all"}, flagsOf(shownProperties)...) {
			if yes, _ := fs.GetBool(p); yes {
				want[p] = true
			}
		}
		all := want["all"] || len(want) == 0
		if all && format == "raw" {
			return sorry("--output|-o raw only supported with specific property type")
		}
		get := &propertyGet{want: want, all: all, raw: format == "raw"}
		if get.isLocal() {
			return get.local(cmd, f)
		}
		return f.run(get.run)(cmd, args)
	}
	return cmd
}

func flagsOf(ps []shown) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.flag)
	}
	return out
}

// propertyGet is one run of property get.
type propertyGet struct {
	want     map[string]bool
	all, raw bool
}

// isLocal reports whether all that is wanted can be told without a server.
func (g *propertyGet) isLocal() bool {
	n := 0
	for _, p := range shownProperties {
		if p.local && g.want[p.flag] {
			n++
		}
	}
	return !g.all && n == len(g.want)
}

// local prints without a client: the host may be missing.
func (g *propertyGet) local(cmd *cobra.Command, f *clientFlags) error {
	a, err := f.account()
	if err != nil {
		return err
	}
	s := &session{account: a, out: newPrinter(cmd.OutOrStdout())}
	g.printKnown(cmd.Context(), s)
	return s.out.err
}

func (g *propertyGet) run(ctx context.Context, s *session, _ []string) error {
	g.printKnown(ctx, s)
	if !g.all && !g.want["apibuild"] && !g.want["apibuildno"] {
		return nil
	}
	ctx, cancel := within(ctx)
	defer cancel()
	info, err := s.Info(ctx)
	if err != nil {
		info = client.Info{Build: "Unknown", BuildNo: "Unknown"}
	}
	g.print(s, "apibuild", "whisk API build", "\t\t", info.Build)
	g.print(s, "apibuildno", "whisk API build number", "\t", info.BuildNo)
	if err != nil {
		return failed(err, "Unable to obtain API build information")
	}
	return nil
}

func (g *propertyGet) printKnown(ctx context.Context, s *session) {
	for _, p := range shownProperties {
		if g.all || g.want[p.flag] {
			g.print(s, p.flag, p.label, p.tabs, p.value(ctx, s))
		}
	}
}

func (g *propertyGet) print(s *session, flag, label, tabs, value string) {
	switch {
	case !g.all && !g.want[flag]:
	case g.raw:
		s.out.printf("%s\n", value)
	default:
		s.out.printf("%s%s%s\n", label, tabs, value)
	}
}
