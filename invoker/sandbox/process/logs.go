package process

import (
	"bytes"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// maxLine is where a longer line of output is split, in bytes.
const maxLine = 16 << 10

// minCharge is what a line counts at least against the log limit, in bytes:
// even an empty line costs memory and a timestamp.
const minCharge = 8

// logFormat always makes 30 characters.
const logFormat = "2006-01-02T15:04:05.000000000Z"

type stream uint8

const (
	stdout stream = iota
	stderr
)

var streamTag = [...]string{stdout: " stdout: ", stderr: " stderr: "}

// logs gathers what a sandbox's processes print, for one activation after the
// other. Its memory is bounded by the limit of the current one.
type logs struct {
	mu      sync.Mutex // guards all below
	open    bool       // an activation is under way: output is its
	limit   int64      // bytes; 0 collects nothing
	used    int64
	cut     bool
	lines   []string
	partial [2][]byte // the unfinished line of each stream
	stamp   [2]time.Time
	now     func() time.Time
}

func newLogs() *logs { return &logs{now: time.Now} }

// begin opens the logs for an activation. Lines kept from before count.
func (l *logs) begin(limit int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.limit = true, max(limit, 0)
}

// end closes the logs and keeps what is in them for the next activation.
func (l *logs) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = false
}

// take closes the logs and empties them. Unfinished lines count as finished.
func (l *logs) take() (lines []string, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.partial {
		if len(l.partial[s]) > 0 {
			l.add(stream(s), l.partial[s], l.stamp[s])
			l.partial[s] = nil
		}
	}
	lines, cut = l.lines, l.cut
	l.lines, l.cut, l.used, l.open = nil, false, 0, false
	return lines, cut
}

// write takes output as it comes. It returns false if it came while no
// activation was under way.
func (l *logs) write(s stream, b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		return false
	}
	now := l.now()
	for len(b) > 0 {
		if l.limit == 0 || l.cut {
			l.partial[s] = nil
			l.cut = l.limit > 0
			return true
		}
		i := bytes.IndexByte(b, '\n')
		if i >= 0 && len(l.partial[s]) == 0 && i <= maxLine {
			l.add(s, b[:i], now)
			b = b[i+1:]
			continue
		}
		b = l.extend(s, b, i, now)
	}
	return true
}

// extend moves the next piece of b, whose first newline is at i, to the
// stream's unfinished line, finishes that if it is complete or full, and
// returns the rest of b.
func (l *logs) extend(s stream, b []byte, i int, now time.Time) []byte {
	p := l.partial[s]
	if len(p) == 0 {
		l.stamp[s] = now
	}
	n := min(len(b), maxLine-len(p))
	if i >= 0 && i <= n {
		l.add(s, append(p, b[:i]...), l.stamp[s])
		l.partial[s] = p[:0]
		return b[i+1:]
	}
	p = append(p, b[:n]...)
	if len(p) == maxLine {
		end := wholeRunes(p)
		l.add(s, p[:end], l.stamp[s])
		p = append(p[:0], p[end:]...)
		l.stamp[s] = now
	}
	l.partial[s] = p
	return b[n:]
}

// add keeps one line, or what the limit leaves of it.
func (l *logs) add(s stream, line []byte, at time.Time) {
	if l.limit == 0 || l.cut {
		return
	}
	if room := l.limit - l.used; int64(max(len(line)+1, minCharge)) > room {
		l.cut = true
		line = line[:wholeRunes(line[:min(int64(len(line)), max(room, 0))])]
		if len(line) == 0 {
			return
		}
	}
	l.used += int64(max(len(line)+1, minCharge))
	var sb strings.Builder
	sb.Grow(len(logFormat) + len(streamTag[s]) + len(line))
	var stamp [len(logFormat)]byte
	sb.Write(at.UTC().AppendFormat(stamp[:0], logFormat))
	sb.WriteString(streamTag[s])
	if utf8.Valid(line) {
		sb.Write(line)
	} else {
		sb.WriteString(strings.ToValidUTF8(string(line), "\uFFFD"))
	}
	l.lines = append(l.lines, sb.String())
}

// wholeRunes returns how much of b to keep so that it does not end within a
// character; bytes that are no text anyway are kept.
func wholeRunes(b []byte) int {
	for back := 1; back <= utf8.UTFMax && back <= len(b); back++ {
		c := b[len(b)-back]
		if utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-back:]) && back < len(b) {
				return len(b) - back
			}
			break
		}
	}
	return len(b)
}
