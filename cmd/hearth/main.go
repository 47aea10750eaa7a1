package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for alarms, on machines that have none

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
	args, err := clientArgs(root, adminArgs(args))
	if err != nil {
		return err
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

func newRoot() *cobra.Command {
	root := newGroup("hearth", "Functions as a service: run your code without running machines",
		`Hearth runs your functions, once per request, and speaks the OpenWhisk API.

Start a platform on this machine, then give it code and call it:

  hearth up                                  # prints the line that connects this client
  hearth action create hello hello.js        # or .py, a .zip with --kind, an executable with --native
  hearth action invoke hello -r -p name you  # -r waits and prints the result
  hearth activation list                     # what ran, how long, how it ended

The client commands take the flags of wsk and read the same .wskprops file.`)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = buildVersion()
	root.SetVersionTemplate("hearth {{.Version}}\n")
	root.Flags().Bool("version", false, "show the version")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err) })
	root.AddCommand(newUpCmd(), newRouterCmd(), newInvokerCmd(), newAdminCmd(), newTLSCmd(), newActionCmd(), newActivationCmd(), newDeadLetterCmd(), newPackageCmd(), newTriggerCmd(),
		newRuleCmd(), newAPICmd(), newNamespaceCmd(), newListCmd(), newPropertyCmd(), newSDKCmd(), newDeployCmd(), newProjectCmd(),
		newBenchCmd())
	return root
}

// newGroup returns a command that only holds others.
func newGroup(use, short, long string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Long: long, Args: noWords, RunE: help, DisableFlagsInUseLine: true}
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
