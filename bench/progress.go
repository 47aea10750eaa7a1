package bench

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// Progress is how far a run is. Run shows it a few times a second, once
// exactly when the measurement begins and once when it is done.
type Progress struct {
	Warming  bool          // the warm-up is on: nothing counts yet
	Done     bool          // the last one
	Elapsed  time.Duration // since the measurement (or the warm-up) began
	Planned  time.Duration // how long it will take, 0 if a count bounds it
	Count    int64         // requests answered since
	Wanted   int64         // the plan's count, 0 if time bounds it
	Failed   int64         // of Count
	Rate     float64       // answers per second since the last Progress
	InFlight int
}

// ProgressLine returns a function for [Run] that keeps one line of a terminal
// up to date and clears it when done, or nil if the file is no terminal.
func ProgressLine(f *os.File, title string) func(Progress) {
	if !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	width := func() int {
		w, _, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 80
		}
		return w
	}
	return progressLine(f, title, width)
}

func progressLine(w io.Writer, title string, width func() int) func(Progress) {
	return func(p Progress) {
		line := []rune(plain(title + ": " + p.String()))
		if most := max(width()-1, 0); len(line) > most { // a full line would wrap
			line = line[:most]
		}
		if p.Done {
			line = nil
		}
		fmt.Fprintf(w, "\r\x1b[K%s", string(line))
	}
}

// String is the progress in a line: "42% · 2.1 s of 5 s · 81,234 answers · 17,020 a second · 64 in flight · 3 failed".
func (p Progress) String() string {
	s := ""
	if p.Warming {
		s = "warming up · "
	}
	switch {
	case p.Planned > 0:
		s += fmt.Sprintf("%d%% · %s of %s", min(100*p.Elapsed/p.Planned, 100), short(p.Elapsed.Truncate(100*time.Millisecond)), short(p.Planned))
	case p.Wanted > 0:
		s += fmt.Sprintf("%d%% · %s", min(100*p.Count/p.Wanted, 100), short(p.Elapsed.Truncate(100*time.Millisecond)))
	default:
		s += short(p.Elapsed.Truncate(100 * time.Millisecond))
	}
	s += fmt.Sprintf(" · %s answers · %s a second · %s in flight", grouped(p.Count), figure(p.Rate), grouped(int64(p.InFlight)))
	if p.Failed > 0 {
		s += " · " + grouped(p.Failed) + " failed"
	}
	return s
}
