package process

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func testLogs(limit int64) *logs {
	l := newLogs()
	at := time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC)
	l.now = func() time.Time { return at }
	l.begin(limit)
	return l
}

func TestLogs(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	tests := []struct {
		name   string
		limit  int64
		writes []string // "1…" is stdout, "2…" stderr
		want   []string
		cut    bool
	}{
		{"lines", 1000, []string{"1a\nb\n", "2c\n"}, []string{"stdout: a", "stdout: b", "stderr: c"}, false},
		{"parts", 1000, []string{"1a", "2x\n", "1b\nc"}, []string{"stderr: x", "stdout: ab", "stdout: c"}, false},
		{"empty lines", 1000, []string{"1\n\n"}, []string{"stdout: ", "stdout: "}, false},
		{"carriage return", 1000, []string{"1a\r\n"}, []string{"stdout: a\r"}, false},
		{"bad UTF-8", 1000, []string{"1a\xff\xfeb\n"}, []string{"stdout: a\uFFFDb"}, false},
		{"long line", 1 << 20, []string{"1" + long + "y\n"}, []string{"stdout: " + long, "stdout: y"}, false},
		{"line of just that length", 1 << 20, []string{"1" + long + "\n"}, []string{"stdout: " + long}, false},
		{"split within a character", 1 << 20, []string{"1" + long[1:] + "ü\n"}, []string{"stdout: " + long[1:], "stdout: ü"}, false},
		{"limit", 20, []string{"1123456789\n123456789\n1\n"}, []string{"stdout: 123456789", "stdout: 123456789"}, true},
		{"limit within a line", 15, []string{"1123456789\n123456789\n"}, []string{"stdout: 123456789", "stdout: 12345"}, true},
		{"limit within a character", 15, []string{"1123456789\n1234ü6789\n"}, []string{"stdout: 123456789", "stdout: 1234"}, true},
		{"nothing after the limit", 15, []string{"1123456789\n123456789\n", "2a\n"}, []string{"stdout: 123456789", "stdout: 12345"}, true},
		{"empty lines cost too", 3 * minCharge, []string{"1\n\n\n\n\n"}, []string{"stdout: ", "stdout: ", "stdout: "}, true},
		{"no logs", 0, []string{"1a\n", "2" + long + long}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := testLogs(tt.limit)
			for _, w := range tt.writes {
				if !l.write(stream(w[0]-'1'), []byte(w[1:])) {
					t.Error("output taken for idle")
				}
			}
			got, cut := l.take()
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], "2024-01-02T03:04:05.000000006Z ")
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") || cut != tt.cut {
				t.Errorf("got %.200q, cut %v, want %.200q, cut %v", got, cut, tt.want, tt.cut)
			}
			if l.write(stdout, []byte("late\n")) {
				t.Error("output after the end was taken")
			}
		})
	}
}

func TestLogsOfInitStay(t *testing.T) {
	l := testLogs(100)
	l.write(stdout, []byte("init\npart"))
	l.end()
	l.begin(100)
	l.write(stdout, []byte("ly\n"))
	got, _ := l.take()
	if len(got) != 2 || !strings.HasSuffix(got[0], " init") || !strings.HasSuffix(got[1], " partly") {
		t.Errorf("got %q", got)
	}
}

// TestLogsChunks: how the output is cut into reads makes no difference, and
// the limit holds.
func TestLogsChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]byte("ab\n\xc3\xbc\xff\xf0\x9f")), 0, 60).Draw(t, "text")
		stretch := rapid.SampledFrom([]int{1, 1, 3000}).Draw(t, "stretch")
		var long []byte
		for _, c := range text {
			long = append(long, c)
			if c == 'a' {
				long = append(long, strings.Repeat("a", stretch-1)...)
			}
		}
		limit := rapid.Int64Range(1, 100_000).Draw(t, "limit")
		whole := testLogs(limit)
		whole.write(stdout, long)
		want, wantCut := whole.take()
		parts := testLogs(limit)
		for rest := long; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			parts.write(stdout, rest[:n])
			rest = rest[n:]
		}
		got, cut := parts.take()
		if fmt.Sprint(got) != fmt.Sprint(want) || cut != wantCut {
			t.Fatalf("in parts %q, %v, at once %q, %v", got, cut, want, wantCut)
		}
		var total int64
		for _, line := range got {
			if !utf8.ValidString(line) {
				t.Fatalf("line %q is no UTF-8", line)
			}
			total += int64(len(strings.ReplaceAll(line[len(logFormat)+len(streamTag[stdout]):], "\uFFFD", "?")))
		}
		if total > limit {
			t.Fatalf("%d bytes kept, limit %d", total, limit)
		}
	})
}

func TestLastLine(t *testing.T) {
	tests := []struct {
		name, out string
		keep      int64
		result    string
		size      int64
		logs      string
	}{
		{"one", "{}\n", 100, "{}", 2, ""},
		{"no end", "a\n{}", 100, "{}", 2, "a"},
		{"blank end", "a\n\n{}\n \n\n", 100, "{}", 2, "a||"},
		{"too long", "a\n" + strings.Repeat("x", 50), 10, "xxxxxxxxxx", 50, "a"},
		{"nothing", "", 100, "", 0, ""},
		{"blanks", "\n\n", 100, "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{1, 3, 1000} {
				l := testLogs(1000)
				last := &lastLine{logs: l, keep: tt.keep}
				for rest := tt.out; len(rest) > 0; rest = rest[min(step, len(rest)):] {
					last.write([]byte(rest[:min(step, len(rest))]))
				}
				body, size := last.result()
				lines, _ := l.take()
				got := ""
				for i, s := range lines {
					if i > 0 {
						got += "|"
					}
					got += s[len(logFormat)+len(" stdout: "):]
				}
				if string(body) != tt.result || size != tt.size || strings.TrimRight(got, "|") != strings.TrimRight(tt.logs, "|") {
					t.Errorf("step %d: result %q of %d, logs %q", step, body, size, got)
				}
			}
		})
	}
}
