package sandboxtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/invoker/sandbox"
)

// load makes a box with one of the family's codes, or skips the test.
func (s *suite) load(t *testing.T, name string, w With) *Box {
	t.Helper()
	code, ok := s.codes[name]
	if !ok {
		t.Skipf("%s has no code for %q", s.family, name)
	}
	b := NewBox(t, s.d, s.spec)
	w.Binary = s.binary()
	b.MustLoad(code, w)
	return b
}

var logLine = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr): `)

// texts returns log lines without their timestamps, and checks those.
func texts(t *testing.T, lines []string) []string {
	t.Helper()
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if !logLine.MatchString(l) {
			t.Errorf("log line %.80q has not the form of one", l)
			continue
		}
		out = append(out, l[31:])
	}
	return out
}

func (s *suite) goodCode(t *testing.T) {
	t.Run("arguments and environment", func(t *testing.T) {
		b := s.load(t, "echo", With{Env: `{"more":"given"}`})
		for range 3 {
			got := b.MustCall("{\"a\": [1,\n2],\r\n\"b\":\"ü\"}", With{})
			var v struct {
				Args json.RawMessage
				Env  map[string]string
			}
			if err := json.Unmarshal([]byte(got), &v); err != nil {
				t.Fatalf("%v in %s", err, got)
			}
			args := string(v.Args)
			if !strings.Contains(strings.ReplaceAll(args, " ", ""), `"a":[1,2],"b":"ü"`) {
				t.Errorf("arguments came as %s", args)
			}
			if v.Env["__OW_API_HOST"] != "http://api.example" {
				t.Errorf("environment %v lacks the API host", v.Env)
			}
			if id := b.last.String(); v.Env["__OW_ACTIVATION_ID"] != id && !strings.Contains(args, id) {
				t.Errorf("neither environment %v nor arguments hold the id %s", v.Env, id)
			}
		}
	})
	t.Run("keeps its state", func(t *testing.T) {
		b := s.load(t, "count", With{})
		for i := 1; i <= 3; i++ {
			if got, want := b.MustCall(`{}`, With{}), fmt.Sprintf(`{"n":%d}`, i); got != want {
				t.Errorf("run %d replies %s, want %s", i, got, want)
			}
		}
	})
	t.Run("logs", func(t *testing.T) {
		b := s.load(t, "say", With{})
		for _, text := range []string{"one", "two"} {
			o := b.Call(`{"text":"`+text+`"}`, With{})
			got := texts(t, o.Logs)
			if len(got) != 2 || !contains(got, "stdout: "+text) || !contains(got, "stderr: e:"+text) {
				t.Errorf("logs %q of %s", got, Show(o))
			}
		}
	})
	t.Run("logs of init", func(t *testing.T) {
		b := s.load(t, "initsay", With{})
		for i, want := range []string{"stdout: loading|stdout: running", "stdout: running"} {
			o := b.Call(`{}`, With{})
			if got := strings.Join(texts(t, o.Logs), "|"); got != want {
				t.Errorf("run %d logs %q, want %q", i+1, got, want)
			}
		}
	})
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

func (s *suite) badCode(t *testing.T) {
	tests := []struct {
		code   string
		with   With
		memory int64
		ending sandbox.Ending
		ok     bool
		any    bool // all that matters is what comes after
	}{
		{code: "loop", with: With{Timeout: 500 * time.Millisecond}, ending: sandbox.TimedOut},
		{code: "exit", ending: sandbox.Exited},
		{code: "eat", memory: 128, ending: sandbox.OutOfMemory},
		{code: "text"},
		{code: "junk", any: true},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			mem := s.spec.MemoryMB
			if tt.memory > 0 {
				s.spec.MemoryMB = tt.memory
			}
			b := s.load(t, tt.code, With{})
			s.spec.MemoryMB = mem
			if tt.code == "exit" && s.family == "blackbox" {
				tt.ending, tt.ok = sandbox.Replied, true
			}
			o := b.Call(`{}`, tt.with)
			if !tt.any && (o.Ending != tt.ending || o.OK != tt.ok) {
				t.Errorf("got %s, want %s, ok %v", Show(o), tt.ending, tt.ok)
			}
			if tt.with.Timeout > 0 && o.Took < tt.with.Timeout {
				t.Errorf("took %v, which is less than the limit %v", o.Took, tt.with.Timeout)
			}
			if tt.ending != sandbox.Replied && !tt.any && !b.IsBroken() {
				t.Error("the sandbox does not say that it is broken")
			}
			b.Destroy()
			s.works(t)
		})
	}
}

func (s *suite) badInit(t *testing.T) {
	tests := []struct {
		code   string
		with   With
		ending sandbox.Ending
	}{
		{"syntax", With{}, sandbox.Replied},
		{"initexit", With{}, sandbox.Exited},
		{"initloop", With{Timeout: 500 * time.Millisecond}, sandbox.TimedOut},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			code, ok := s.codes[tt.code]
			if !ok {
				t.Skipf("%s has no code for %q", s.family, tt.code)
			}
			b := NewBox(t, s.d, s.spec)
			tt.with.Binary = s.binary()
			o := b.Load(code, tt.with)
			if s.family == "go" && tt.code == "initexit" {
				tt.ending = sandbox.Replied // "cannot start action"
				if o.OK {                   // it lived for as long as anybody waits
					o = b.Call(`{}`, With{})
					tt.ending = sandbox.Exited
				}
			}
			if o.Ending != tt.ending || o.OK {
				t.Errorf("init: %s, want %s and not OK", Show(o), tt.ending)
			}
			if tt.ending == sandbox.Replied && !strings.Contains(string(o.Body), `"error":`) {
				t.Errorf("reply %s does not say what is wrong", o.Body)
			}
			b.Destroy()
			s.works(t)
		})
	}
}

func (s *suite) limits(t *testing.T) {
	t.Run("log limit", func(t *testing.T) {
		b := s.load(t, "spam", With{})
		const limit = 10 << 20
		o := b.Call(`{"n":11264}`, With{LogBytes: limit}) // 11 MB
		var total int
		for _, l := range texts(t, o.Logs) {
			total += len(l) - len("stdout: ") + 1
		}
		if o.Ending != sandbox.Replied || !o.OK || !o.LogsCut || total > limit || total < limit-2048 {
			t.Errorf("%d bytes of logs, cut %v, ending %s", total, o.LogsCut, o.Ending)
		}
		if o = b.Call(`{"n":100}`, With{LogBytes: limit}); o.LogsCut || len(o.Logs) != 100 {
			t.Errorf("the next run has %d lines, cut %v", len(o.Logs), o.LogsCut)
		}
	})
	t.Run("no logs", func(t *testing.T) {
		b := s.load(t, "spam", With{})
		o := b.CallContext(context.Background(), `{"n":2000}`, With{LogBytes: -1})
		if len(o.Logs) != 0 || o.LogsCut || o.Ending != sandbox.Replied {
			t.Errorf("%d lines, %s", len(o.Logs), o.Ending)
		}
	})
	t.Run("result limit", func(t *testing.T) {
		b := s.load(t, "big", With{})
		for _, n := range []int{10, 5000, 70_000, 300_000, 1_000_000} {
			const limit = 100_000
			o := b.Call(fmt.Sprintf(`{"n":%d}`, n), With{ResultBytes: limit})
			size := n + len(`{"x":""}`)
			if o.Ending != sandbox.Replied || !o.OK || o.Size != int64(size) || len(o.Body) != min(size, limit) {
				t.Errorf("result of %d bytes: size %d, %d bytes kept, %s", size, o.Size, len(o.Body), o.Ending)
			}
		}
	})
	t.Run("big arguments", func(t *testing.T) {
		b := s.load(t, "echo", With{})
		text := strings.Repeat("a", 1<<20)
		if s.family == "blackbox" || s.family == "go" {
			text = text[:200_000] // the shell is slow
		}
		o := b.Call(`{"text":"`+text+`"}`, With{ResultBytes: 4 << 20})
		if !o.OK || o.Size < int64(len(text)) {
			t.Errorf("size %d, %s", o.Size, o.Ending)
		}
	})
}

func (s *suite) ends(t *testing.T) {
	t.Run("destroyed while it runs", func(t *testing.T) {
		b := s.load(t, "loop", With{})
		done := make(chan sandbox.Outcome, 1)
		go func() { done <- b.Call(`{}`, With{}) }()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(b.Destroy)
		}
		wg.Wait()
		if o := <-done; o.Ending == sandbox.Replied && o.OK {
			t.Errorf("got %s", Show(o))
		}
		if !b.IsBroken() {
			t.Error("a destroyed sandbox is not broken")
		}
	})
	t.Run("shut down while it runs", func(t *testing.T) {
		b := s.load(t, "loop", With{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan sandbox.Outcome, 1)
		go func() { done <- b.CallContext(ctx, `{}`, With{}) }()
		cancel()
		if o := <-done; o.Ending != sandbox.Exited {
			t.Errorf("got %s", Show(o))
		}
	})
	t.Run("what it leaves behind", func(t *testing.T) {
		b := s.load(t, "child", With{})
		var v struct{ Pids []int }
		if err := json.Unmarshal([]byte(b.MustCall(`{}`, With{})), &v); err != nil || len(v.Pids) == 0 {
			t.Fatalf("%v, pids %v", err, v.Pids)
		}
		b.Destroy()
		for _, pid := range v.Pids {
			if alive(pid) {
				t.Errorf("process %d lives on", pid)
			}
		}
	})
	for _, name := range []string{"late", "dies"} {
		t.Run(name, func(t *testing.T) {
			b := s.load(t, name, With{})
			b.MustCall(`{}`, With{})
			if !b.IsBroken() {
				t.Error("the sandbox does not say that it is broken")
			}
			b.Destroy()
			s.works(t)
		})
	}
}

// alive reports whether a process of this machine lives.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}
