package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hearth/auth"
	"hearth/whisk"
)

func newAdminUserCmd(f *adminFlags) *cobra.Command {
	cmd := newGroup("user", "manage subjects and their keys", "Subjects hold keys for namespaces: one for each, and each has a UUID:KEY of its own.")
	cmd.AddCommand(newUserCreateCmd(f), newUserDeleteCmd(f), newUserGetCmd(f), newUserWhoisCmd(f),
		newUserBlockCmd(f, true), newUserBlockCmd(f, false), newUserListCmd(f))
	return cmd
}

func newUserCreateCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "create SUBJECT", Short: "create a subject, or give it another namespace, and show the key"}
	fs := cmd.Flags()
	given := fs.StringP("auth", "u", "", "the `UUID:KEY` instead of a random one: @FILE, or - for standard input")
	ns := fs.String("namespace", "", "the namespace, -ns for short (default: named as the subject)")
	revoke := fs.BoolP("revoke", "r", false, "replace the subject's key for the namespace")
	only := fs.BoolP("genonly", "g", false, "show a new key and store nothing")
	silent := fs.BoolP("silent", "s", false, "do not show the key")
	f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		r := whisk.AccountRequest{Subject: args[0], Namespace: whisk.Namespace(*ns), Revoke: *revoke}
		if fs.Changed("namespace") && strings.TrimSpace(*ns) == "" {
			return refused(out, whisk.Errorf(whisk.BadRequest, "Namespace must not be empty"), "")
		}
		if *given != "" {
			text, err := secretWord(cmd, "key", *given)
			if err != nil {
				return 0, err
			}
			uuid, key, _ := strings.Cut(text, ":")
			r.Key = &whisk.AuthKey{UUID: uuid, Key: key}
		}
		key, err := op.Create(ctx, r)
		if err == nil && !*silent {
			out.printf("%s\n", key.Compact())
		}
		return refused(out, err, "")
	})
	create := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !*only {
			return create(cmd, args)
		}
		out := newPrinter(cmd.OutOrStdout())
		if exit, err := refused(out, auth.CheckSubject(args[0]), ""); exit != 0 || err != nil {
			return &exitError{code: exit, err: err}
		}
		out.printf("%s\n", auth.NewKey().Compact())
		return out.err
	}
	return cmd
}

func newUserDeleteCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "delete SUBJECT", Short: "delete a subject, or its key for one namespace"}
	fs := cmd.Flags()
	ns := fs.String("namespace", "", "the namespace, -ns for short, for which the key is deleted (default: all)")
	return f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		subject, one := strings.TrimSpace(args[0]), whisk.Namespace(strings.TrimSpace(*ns))
		switch {
		case subject == "":
			return refused(out, whisk.Errorf(whisk.BadRequest, "Subject must not be empty"), "")
		case fs.Changed("namespace") && one == "":
			return refused(out, whisk.Errorf(whisk.BadRequest, "Namespace must not be empty"), "")
		}
		if err := op.Delete(ctx, subject, one); err != nil {
			return refused(out, err, "Failed to delete subject (%s)")
		}
		if one == "" {
			out.printf("Subject deleted\n")
		} else {
			out.printf("Namespace deleted\n")
		}
		return 0, nil
	})
}

func newUserGetCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "get SUBJECT", Short: "show the key of a subject"}
	ns := cmd.Flags().String("namespace", "", "the namespace of the key, -ns for short (default: named as the subject)")
	all := cmd.Flags().BoolP("all", "a", false, "show all namespaces of the subject with their keys")
	return f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		list, err := op.Subject(ctx, args[0])
		if err != nil {
			return refused(out, err, "Failed to get subject (%s)")
		}
		if *all {
			for _, x := range list {
				out.printf("%s\t%s\n", x.Namespace, x.Key.Compact())
			}
			return 0, nil
		}
		name := args[0]
		if *ns != "" {
			name = *ns
		}
		var found []whisk.Account
		for _, x := range list {
			if string(x.Namespace) == name {
				found = append(found, x)
			}
		}
		if len(found) != 1 { // wskadmin does not choose either
			out.printf("namespace \"%s\" not found for \"%s\"\n", name, args[0])
			return exitGeneral, nil
		}
		out.printf("%s\n", found[0].Key.Compact())
		return 0, nil
	})
}

func newUserWhoisCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "whois KEY", Short: "tell whose key it is: @FILE, or - for standard input"}
	return f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		text, err := secretWord(cmd, "key", args[0])
		if err != nil {
			return 0, err
		}
		uuid, key, _ := strings.Cut(text, ":")
		x, err := op.Whois(ctx, whisk.AuthKey{UUID: uuid, Key: key})
		if whisk.KindOf(err) == whisk.NotFound {
			out.printf("%s\n", whisk.MessageOf(err))
			return 0, nil // as wskadmin
		}
		if err != nil {
			return 0, err
		}
		out.printf("subject: %s\nnamespace: %s\n", x.Subject, x.Namespace)
		return 0, nil
	})
}

// newUserBlockCmd makes the verbs block and unblock. Their exit code is the
// number of subjects that it did not work for.
func newUserBlockCmd(f *adminFlags, block bool) *cobra.Command {
	verb := "block"
	if !block {
		verb = "unblock"
	}
	cmd := &cobra.Command{Use: verb + " SUBJECT...", Short: verb + " subjects: none of their keys is taken while they are blocked"}
	const most = 1 << 16
	return f.verb(cmd, 1, most, func(ctx context.Context, op operator, out *printer, args []string) (exit int, _ error) {
		for _, s := range args {
			if s = strings.TrimSpace(s); s == "" {
				continue
			}
			err := op.Block(ctx, s, block)
			switch {
			case err == nil:
				out.printf("\"%s\" %sed successfully\n", s, verb)
			case whisk.KindOf(err) == whisk.NotFound:
				out.printf("Failed to %s \"%s\" (%s)\n", verb, s, whisk.MessageOf(err))
				exit++
			default:
				return 0, err
			}
		}
		return min(exit, 255), nil
	})
}

func newUserListCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list [NAMESPACE]", Short: "list the keys of a namespace, or all namespaces",
		Long: "List shows the keys that open a namespace, each with its subject. Without a name it shows the\nnames of all namespaces that somebody has a key for.",
	}
	pick := cmd.Flags().IntP("pick", "p", 1, "show no more than `N` keys")
	all := cmd.Flags().BoolP("all", "a", false, "show all keys")
	only := cmd.Flags().BoolP("key", "k", false, "show only the keys")
	return f.verb(cmd, 0, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		if *pick < 1 {
			return refused(out, whisk.Errorf(whisk.BadRequest, "pick at least 1 identity to show"), "")
		}
		if len(args) == 0 {
			names, err := op.Namespaces(ctx)
			for _, ns := range names {
				out.printf("%s\n", ns)
			}
			return 0, err
		}
		list, err := op.Keys(ctx, whisk.Namespace(args[0]))
		if err != nil {
			return refused(out, err, "Failed to get namespace key (%s)")
		}
		if !*all {
			list = list[:min(*pick, len(list))]
		}
		for _, x := range list {
			out.printf("%s", x.Key.Compact())
			if !*only {
				out.printf("\t%s", x.Subject)
			}
			out.printf("\n")
		}
		if len(list) == 0 {
			out.printf("no identities found for namespace \"%s\"\n", args[0])
		}
		return 0, nil
	})
}
