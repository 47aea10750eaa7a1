package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/whisk"
)

// entityPairs are the parameters and annotations of a package or trigger.
type entityPairs struct{ params, annotations pairs }

func addEntityPairs(cmd *cobra.Command) *entityPairs {
	e := &entityPairs{params: pairs{what: "parameter"}, annotations: pairs{what: "annotation"}}
	e.annotations.addTo(cmd.Flags(), "a", "A")
	e.params.addTo(cmd.Flags(), "p", "P")
	return e
}

// read returns the parameters and the annotations.
func (e *entityPairs) read() (params, annotations whisk.Parameters, err error) {
	if params, err = e.params.parameters(); err != nil {
		return nil, nil, err
	}
	annotations, err = e.annotations.parameters()
	return params, annotations, err
}

// newPackagePutCmd returns create or update, which differ in their words and in
// what they do to a package that is there.
func newPackagePutCmd(f *clientFlags, update bool) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "create PACKAGE_NAME",
		Short:   "create a new package",
		Example: "  hearth package create mail -p from me@example.com --shared yes",
	}
	if update {
		cmd = &cobra.Command{
			Use:   "update PACKAGE_NAME",
			Short: "update an existing package, or create a package if it does not exist",
			Long: `Update an existing package, or create a package if it does not exist.
What is not given stays as it is. Parameters and annotations that are given
replace all that were there.`,
		}
	}
	e := addEntityPairs(cmd)
	shared := cmd.Flags().String("shared", "", "package visibility `SCOPE`; yes = shared, no = private")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		n, err := entityArg(args, "A package name is required.")
		if err != nil {
			return err
		}
		p := &client.Package{Namespace: string(n.Namespace), Name: n.Name}
		switch strings.ToLower(*shared) {
		case "":
		case "yes":
			p.Publish = new(true)
		case "no":
			p.Publish = new(false)
		default:
			return refuse(exitGeneral, "Cannot use value '%s' for shared.", *shared)
		}
		if p.Parameters, p.Annotations, err = e.read(); err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		_, err = s.PutPackage(ctx, n, p, update)
		switch {
		case err != nil && update:
			return failed(err, "Package update failed")
		case err != nil:
			return failed(err, "Unable to create package '%s'", n.Name)
		}
		s.out.printf("ok: %s package %s\n", doneText(update), n.Name)
		return nil
	})
	return cmd
}

func doneText(update bool) string {
	if update {
		return "updated"
	}
	return "created"
}

func newPackageBindCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bind PACKAGE_NAME BOUND_PACKAGE_NAME",
		Short: "bind parameters to a package",
		Long: `Make BOUND_PACKAGE_NAME stand for PACKAGE_NAME: its actions are that one's, its
parameters lie over that one's.`,
		Example: "  hearth package bind /whisk.system/slack team -p url https://hooks.example.com/x",
	}
	e := addEntityPairs(cmd)
	overwrite := cmd.Flags().BoolP("overwrite", "o", false, "overwrite bind")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 2, 2, "A package name and binding name are required."); err != nil {
			return err
		}
		from, err := parsePlainName(args[0])
		if err != nil {
			return err
		}
		n, err := parsePlainName(args[1])
		if err != nil {
			return err
		}
		p := &client.Package{Binding: &client.Binding{Namespace: string(from.Namespace), Name: from.Name}}
		if p.Parameters, p.Annotations, err = e.read(); err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		if _, err := s.PutPackage(ctx, n, p, *overwrite); err != nil {
			return failed(err, "Binding creation failed")
		}
		s.out.printf("ok: created binding %s\n", args[1])
		return nil
	})
	return cmd
}
