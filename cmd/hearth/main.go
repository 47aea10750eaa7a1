package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	reportError(os.Stderr, err)
	stop()
	os.Exit(exitCode(err))
}

// run executes one command line. It prints results to stdout and returns what
// went wrong for main to report.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hearth",
		Short: "Functions as a service: run your code without running machines",
		Long: `Hearth runs your functions, once per request, and speaks the OpenWhisk API.

Start a platform on this machine, then give it code and call it:

  hearth up                                  # prints the two lines that connect this client
  hearth action create hello hello.js        # .js, .py, a .zip with --kind, or a native executable
  hearth action invoke hello -r -p name you  # -r waits and prints the result
  hearth activation list                     # what ran, how long, how it ended

The client commands take the flags of wsk and read the same .wskprops file.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err) })
	return root
}

// exitError is an error with the exit code that it stands for.
type exitError struct {
	code int
	err  error // nil: say nothing, only exit
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(err error) error { return &exitError{code: exitUsage, err: err} }

// exitCode returns the process's exit code: 0 for nil, an exitError's own, 1
// for any other error.
func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if err != nil {
		return exitGeneral
	}
	return 0
}
