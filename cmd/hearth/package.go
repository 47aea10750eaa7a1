package main

import (
	"context"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newPackageCmd() *cobra.Command {
	cmd, f := newClientGroup("package", "work with packages", `A package holds actions under a common name, with common parameters. It can be
shared with all users; a binding is a package of one's own that stands for one
of somebody else's, with parameters of its own.

  hearth package create mail -p from me@example.com
  hearth action create mail/send send.js
  hearth package update mail --shared yes
  hearth package bind /whisk.system/utils tools -p separator ';'
  hearth package get tools --summary`)
	cmd.AddCommand(
		newPackageBindCmd(f), newPackagePutCmd(f, false), newPackagePutCmd(f, true),
		newPackageGetCmd(f), newPackageDeleteCmd(f), newPackageListCmd(f), newPackageRefreshCmd(f),
	)
	completeFirst(cmd, f, listPackages, "update", "get", "delete")
	completeWords(cmd, f, "bind", listPackages, nil)
	completeFlag(cmd, f, "shared", listOf("yes", "no"))
	return cmd
}

func newPackageDeleteCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "delete PACKAGE_NAME",
		Short: "delete package",
		Long:  "Delete a package. Whatever is in it must be deleted before.",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			n, err := entityArg(args, "A package name is required.")
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			if err := s.DeletePackage(ctx, n); err != nil {
				return failed(err, "Unable to delete package '%s'", n.Name)
			}
			s.out.printf("ok: deleted package %s\n", n.Name)
			return nil
		}),
	}
}

func newPackageListCmd(f *clientFlags) *cobra.Command {
	var l listFlags
	cmd := &cobra.Command{
		Use:   "list [NAMESPACE]",
		Short: "list all packages",
		Long:  "List all packages of a namespace; of one that is not yours, those that it shares.",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ns, err := namespaceArg(args)
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			list, err := s.Packages(ctx, ns, l.skip, l.limit)
			if err != nil {
				return failed(err, "Unable to obtain the list of packages for namespace '%s'", namespaceText(ns))
			}
			printPackages(s.out, list, l.byName)
			return nil
		}),
	}
	l.addTo(cmd.Flags(), "packages")
	return cmd
}

func printPackages(p *printer, list []client.Package, byName bool) {
	if byName {
		sortByName(list, func(k *client.Package) string { return k.Namespace + k.Name })
	}
	p.printf("packages\n")
	for i := range list {
		k := &list[i]
		shared := "private"
		if k.Publish != nil && *k.Publish {
			shared = "shared"
		}
		p.printf("%-70s %s\n", "/"+k.Namespace+"/"+k.Name, shared)
	}
}

func newPackageRefreshCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "refresh [NAMESPACE]",
		Short: "refresh package bindings",
		Long:  "Ask the server to bind what the namespace's services offer. Few servers can.",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			ns, err := namespaceArg(args)
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			r, err := s.RefreshPackages(ctx, ns)
			if err != nil {
				return failed(err, "Package refresh for namespace '%s' failed", ns)
			}
			s.out.printf("'%s' refreshed successfully\n", ns)
			for _, part := range []struct {
				title string
				names []string
			}{{"created", r.Added}, {"updated", r.Updated}, {"deleted", r.Deleted}} {
				s.out.printf("%s bindings:\n", part.title)
				for _, name := range part.names {
					s.out.printf("%s\n", name)
				}
			}
			return nil
		}),
	}
}
