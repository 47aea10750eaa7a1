package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// clientArgs prepares the arguments of a client command for a parser that
// knows only flags with one value, and only behind their command. It joins
// "-p KEY VALUE" and its like into one argument each, and moves the common
// flags that stand in front of the command behind it, as in
// "hearth -i action list". The arguments of other commands stay as they are.
func clientArgs(root *cobra.Command, args []string) ([]string, error) {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		begun, err := clientArgs(root, args[1:])
		if err != nil { // a pair that is not whole yet
			return args, nil
		}
		return append(args[:1:1], begun...), nil
	}
	at := leadingFlags(args)
	if at == len(args) {
		return args, nil
	}
	mark, ok := clientMarkOf(root, args[at])
	if !ok {
		return args, nil
	}
	out := []string{args[at]}
	for _, a := range args[:at] {
		if a == "-d" {
			a = "--debug" // the letter is not the same everywhere
		}
		out = append(out, a)
	}
	for i := at + 1; i < len(args); i++ {
		name, about := args[i], ""
		switch name {
		case "--":
			return append(out, args[i:]...), nil
		case "-p":
			if mark == projectMark {
				out = append(out, name)
				continue
			}
			fallthrough
		case "--param":
			name, about = "--param", "The parameter arguments are invalid: "
		case "-a", "--annotation":
			name, about = "--annotation", "The annotation arguments are invalid: "
		case "-F", "--feed-param":
			name = "--feed-param"
		case "-T", "--trigger-param":
			name = "--trigger-param"
		default:
			out = append(out, name)
			continue
		}
		if i+2 >= len(args) {
			return nil, refuse(exitGeneral, "Failed to parse arguments: %sArguments for '%s' must be a key/value pair", about, args[i])
		}
		out = append(out, name+"="+args[i+1]+pairSeparator+args[i+2])
		i += 2
	}
	return out, nil
}

// leadingFlags returns how many arguments stand before the first word, as far
// as they are common client flags.
func leadingFlags(args []string) int {
	i := 0
	for i < len(args) && strings.HasPrefix(args[i], "-") {
		switch name, _, hasValue := strings.Cut(args[i], "="); name {
		case "-i", "--insecure", "-v", "--verbose", "-d", "--debug":
			i++
		case "-u", "--auth", "--apihost", "--apiversion", "--cert", "--key":
			if i++; !hasValue {
				i++
			}
		default:
			return len(args)
		}
	}
	return min(i, len(args))
}

// clientMarkOf returns the mark of a client command's group.
func clientMarkOf(root *cobra.Command, word string) (string, bool) {
	for _, c := range root.Commands() {
		if mark, marked := c.Annotations[clientMark]; marked && (c.Name() == word || c.HasAlias(word)) {
			return mark, true
		}
	}
	return "", false
}
