package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"hearth/whisk"
)

// operator does what an operator asks for: package auth on the store, or
// package client by way of a server.
type operator interface {
	Create(ctx context.Context, r whisk.AccountRequest) (whisk.AuthKey, error)
	Delete(ctx context.Context, subject string, ns whisk.Namespace) error
	Block(ctx context.Context, subject string, blocked bool) error
	Subject(ctx context.Context, subject string) ([]whisk.Account, error)
	Keys(ctx context.Context, ns whisk.Namespace) ([]whisk.Account, error)
	Namespaces(ctx context.Context) ([]whisk.Namespace, error)
	Whois(ctx context.Context, key whisk.AuthKey) (whisk.Account, error)
	Limits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error)
	SetLimits(ctx context.Context, ns whisk.Namespace, over whisk.NamespaceLimits) error
	DeleteLimits(ctx context.Context, ns whisk.Namespace) error
}

func newAdminCmd() *cobra.Command {
	var f adminFlags
	cmd := newGroup("admin", "Manage subjects, namespaces, keys and limits",
		`Admin does what OpenWhisk's wskadmin does, with its verbs, flags and answers.

  hearth admin user create alice                  # prints the key of a new namespace
  hearth admin user create alice -ns shared       # a key of alice's for another namespace
  hearth admin user block alice
  hearth admin limits set shared --invocationsPerMinute 600
  hearth admin store backup FILE                  # see hearth admin store --help
  hearth admin rekey                              # while no server runs

It asks the server that runs on the --data folder, by its admin API, or, if none runs, works on the
folder itself. Where a server runs without that API (its --ops-addr is switched off, or not on
loopback), it works on the folder beside it; the server takes note within a second. --admin-url
reaches a server elsewhere, through a tunnel.`)
	f.register(cmd)
	cmd.AddCommand(newAdminUserCmd(&f), newAdminLimitsCmd(&f), newAdminStoreCmd(&f), newRekeyCmd(&f))
	return cmd
}

// adminRun is what a verb does. It prints what wskadmin would, refusals too, to
// out, and returns wskadmin's exit code.
type adminRun func(ctx context.Context, op operator, out *printer, args []string) (exit int, err error)

// verb makes a command of run. words says how many words there must be, and may
// be.
func (f *adminFlags) verb(cmd *cobra.Command, least, most int, run adminRun) *cobra.Command {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError(fmt.Errorf("want \"%s\"", cmd.UseLine()))
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		op, done, err := f.open(cmd.Context(), cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		out := newPrinter(cmd.OutOrStdout())
		exit, err := run(cmd.Context(), op, out, args)
		err = errors.Join(err, done(), out.err)
		if err == nil && exit != 0 {
			return &exitError{code: exit}
		}
		return err
	}
	return cmd
}

// refused prints a refusal's text as wskadmin does, in the format if that is not
// "", and returns its exit code: 2 for what can never succeed, else 1. Any other
// error is returned.
func refused(out *printer, err error, format string) (int, error) {
	if err == nil {
		return 0, nil
	}
	text, code := whisk.MessageOf(err), exitGeneral
	switch whisk.KindOf(err) {
	case whisk.BadRequest:
		code = exitUsage
	case whisk.NotFound, whisk.Conflict:
	default:
		return 0, err
	}
	if format != "" && text == "missing" {
		text = fmt.Sprintf(format, text)
	}
	out.printf("%s\n", text)
	return code, nil
}

// secretWord returns what a secret on the command line stands for: "-" is
// standard input, @FILE a file. Others can read arguments, so a plain one is
// taken with a warning.
func secretWord(cmd *cobra.Command, what, word string) (string, error) {
	if word == "-" {
		return secretFrom(what, cmd.InOrStdin())
	}
	name, ok := strings.CutPrefix(word, "@")
	if !ok {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "warning: others on this machine can read arguments; give the %s as @FILE, or as - for standard input\n", what)
		return word, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	return secretFrom(what, file)
}

func secretFrom(what string, r io.Reader) (string, error) {
	s, err := readSecret(r)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return s, nil
}

// adminArgs prepares the arguments of "hearth admin" for a parser that knows
// neither flags of two letters behind one dash nor flags with several values,
// as wskadmin's -ns NS and --allowedKinds A B.
func adminArgs(args []string) []string {
	if len(args) == 0 || args[0] != "admin" {
		return args
	}
	var out []string
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(args[i], "=")
		switch {
		case args[i] == "--":
			return append(out, args[i:]...)
		case name == "-ns" && given:
			out = append(out, "--namespace="+value)
		case name == "-ns":
			out = append(out, "--namespace")
		case args[i] == "--allowedKinds":
			for i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++
				out = append(out, "--allowedKinds="+args[i])
			}
		default:
			out = append(out, args[i])
		}
	}
	return out
}
