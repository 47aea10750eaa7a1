package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// bashCompletion is the file that sdk install bashauto writes.
const bashCompletion = "hearth_bash_completion.sh"

func newSDKCmd() *cobra.Command {
	cmd := newGroup("sdk", "work with the sdk", `Of wsk's downloads there is one here, the completion of commands in bash. See
also "hearth completion", which knows other shells.`)
	cmd.Annotations = map[string]string{clientMark: ""}
	cmd.AddCommand(newSDKInstallCmd())
	return cmd
}

func newSDKInstallCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "install COMPONENT",
		Short:   "install SDK artifacts",
		Long:    "Install SDK artifacts; the one valid COMPONENT is bashauto.",
		Example: "  hearth sdk install bashauto --stdout > ~/.local/share/bash-completion/completions/hearth",
	}
	stdout := cmd.Flags().BoolP("stdout", "s", false, "prints bash command completion script to stdout")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return refuse(exitGeneral, "The SDK component argument is missing. The component bashauto must be specified")
		}
		if strings.ToLower(args[0]) != "bashauto" {
			return refuse(exitGeneral, "The SDK component argument '%s' is invalid. The valid component is bashauto", args[0])
		}
		var script strings.Builder
		if err := cmd.Root().GenBashCompletionV2(&script, true); err != nil {
			return sorry("Unable to output bash command completion %w", err)
		}
		out := newPrinter(cmd.OutOrStdout())
		if *stdout {
			out.printf("%s", script.String())
			return out.err
		}
		if err := writeNew(bashCompletion, []byte(script.String()), 0o666); err != nil {
			return sorry("Unable to generate '%s': %w", bashCompletion, err)
		}
		out.printf("The bash auto-completion script (%s) is installed in the current directory.\nTo enable command line completion of hearth commands, source the auto completion script into your bash environment\n", bashCompletion)
		return out.err
	}
	return cmd
}
