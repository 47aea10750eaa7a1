package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/term"
)

// buildDate returns the time of the commit that the binary was built from, or
// of the binary itself.
func buildDate() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				return s.Value
			}
		}
	}
	if exe, err := os.Executable(); err == nil {
		if st, err := os.Stat(exe); err == nil {
			return st.ModTime().UTC().Format(time.RFC3339)
		}
	}
	return "2026-01-01T00:00:00Z"
}

func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func sets(s ...*metrics.Set) []*metrics.Set { return s }

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// banner tells what runs and how to connect to it. A key is shown only to a
// person at a terminal.
func banner(w io.Writer, s *routerSide, ends endpoints, isolation string, took time.Duration) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("Hearth is ready after %d ms.", took.Milliseconds())
	line("  API        %s", ends.API)
	if ends.TLS != "" {
		line("  with TLS   %s", ends.TLS)
	}
	if ends.Ops != "" {
		line("  metrics    %s/metrics", ends.Ops)
	}
	line("  data       %s", s.data.path)
	kinds := ""
	for _, r := range s.router.Runtimes() {
		kinds += " " + r.Kind
	}
	line("  kinds     %s, and executables with --native", kinds)
	if isolation != "" && isolation != "full" {
		line("  isolation  %s; run only code that you trust", isolation)
	}
	line("")
	if !s.guestOpens {
		line("The first key of the namespace guest was taken away; hearth admin user get guest shows another, if there is one.")
		return
	}
	line("Connect a client to the namespace guest:")
	host := ends.API
	if s.flags.guestKey != "" || s.flags.guestKeyFile != "" {
		line("  wsk property set --apihost %s --auth KEY      # the key that you gave", host)
	} else if isTerminal(w) {
		line("  wsk property set --apihost %s --auth %s", host, s.guest.Compact())
	} else {
		line("  wsk property set --apihost %s --auth \"$(cat '%s')\"", host, s.data.file("guest.key"))
	}
	line("(or the same with hearth in place of wsk)")
}
