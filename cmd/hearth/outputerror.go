package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hearth/client"
)

// Exit codes, as wsk's. A server's refusal exits with its HTTP status - 256,
// of which the system keeps the low eight bits.
const (
	exitGeneral     = 1
	exitUsage       = 2
	exitNetwork     = 3
	exitResponse    = 4   // the server's answer was not understood
	exitInterrupted = 130 // a signal, as shells count them
	exitNotAllowed  = 149
	exitUnended     = 202 // the blocking wait ended before the activation
	exitFailed      = 246 // the action answered with an error
)

// exitError is an error with the exit code that it stands for.
type exitError struct {
	code int
	err  error // nil: all has been said, only exit
	hint bool  // point to --help
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError marks err as a mistake in the command line.
func usageError(err error) error { return &exitError{code: exitUsage, err: err, hint: true} }

// refuse returns an error in the command line with a code of wsk's choice.
func refuse(code int, format string, args ...any) error {
	return &exitError{code: code, err: fmt.Errorf(format, args...), hint: true}
}

// sorry returns an error that no look into the help will mend.
func sorry(format string, args ...any) error {
	return &exitError{code: exitGeneral, err: fmt.Errorf(format, args...)}
}

// failed wraps what a call returned into the sentence that says what could not
// be done. The exit code is the cause's, and so is the hint.
func failed(err error, format string, args ...any) error {
	e, ok := errors.AsType[*exitError](err)
	hint := ok && e.hint || errors.Is(err, client.ErrNoKey)
	return &exitError{code: exitCode(err), err: fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err), hint: hint}
}

// failedAction is failed for an action's command: wsk hints after each of them.
func failedAction(err error, format string, args ...any) error {
	code := exitCode(err)
	return &exitError{code: code, err: failed(err, format, args...), hint: code != exitInterrupted}
}

// exitCode returns the process's exit code: 0 for nil, an exitError's own, what
// the client's errors stand for, 1 for any other error.
func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if _, ok := errors.AsType[*client.NetworkError](err); ok {
		if errors.Is(err, context.Canceled) {
			return exitInterrupted
		}
		return exitNetwork
	}
	switch status := client.StatusOf(err); {
	case err == nil:
		return 0
	case status != 0:
		return (status - 256) & 0xff
	case errors.Is(err, client.ErrNoKey):
		return exitUsage
	case errors.Is(err, client.ErrUnreadable):
		return exitResponse
	}
	return exitGeneral
}

// reportError prints err as every command of Hearth does, or nothing if there
// is nothing to say.
func reportError(w io.Writer, err error) {
	e, ok := errors.AsType[*exitError](err)
	if err == nil || ok && e.err == nil {
		return
	}
	w = visibleOn(w)
	_, _ = fmt.Fprintf(w, "error: %s\n", err)
	if ok && e.hint {
		_, _ = fmt.Fprintln(w, "Run 'hearth --help' for usage.")
	}
}

// noWords refuses words after a command that takes none: after a group, the
// first is a command that does not exist.
func noWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		err = fmt.Errorf("%w, did you mean %q?", err, s[0])
	}
	return usageError(err)
}

// wordCount checks how many words a command got.
func wordCount(args []string, least, most int, required string) error {
	switch {
	case len(args) < least:
		return refuse(exitGeneral, "Invalid argument(s). %s", required)
	case len(args) > most:
		return refuse(exitGeneral, "Invalid argument(s): %s. %s", joinWords(args[most:]), required)
	}
	return nil
}
