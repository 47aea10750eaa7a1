package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newPackageGetCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get PACKAGE_NAME [FIELD_FILTER | --summary]",
		Short: "get package",
		Example: `  hearth package get mail
  hearth package get mail parameters
  hearth package get /whisk.system/utils --summary   # what is in it, and for what`,
	}
	summary := cmd.Flags().BoolP("summary", "s", false, `summarize package details; parameters with prefix "*" are bound`)
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, field, err := getArgs(args, &client.Package{}, "A package name is required.")
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		p, err := s.Package(ctx, n)
		if err != nil {
			return failed(err, "Unable to get package '%s'", n.Name)
		}
		if *summary {
			printPackageSummary(s.out, p)
			return nil
		}
		p.Annotations, p.Parameters = sortValues(p.Annotations), sortValues(p.Parameters)
		for _, list := range [][]client.Action{p.Actions, p.Feeds} {
			for i := range list {
				list[i] = *sorted(&list[i])
			}
		}
		s.out.got("package", n.Name, p, field)
		return nil
	})
	return cmd
}

func printPackageSummary(p *printer, pkg *client.Package) {
	name := "/" + pkg.Namespace + "/" + pkg.Name
	printSummary(p, "package", name, pkg.Annotations, pkg.Parameters)
	for i := range pkg.Actions {
		a := &pkg.Actions[i]
		printSummary(p, " action", name+"/"+a.Name, a.Annotations, a.Parameters)
	}
	for i := range pkg.Feeds {
		a := &pkg.Feeds[i]
		printSummary(p, " feed  ", name+"/"+a.Name, a.Annotations, a.Parameters)
	}
}
