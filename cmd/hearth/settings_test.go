package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"hearth/whisk"
)

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hearth.conf")
	if err := os.WriteFile(file, []byte("# a comment\n\nmemory = 3\naddr= from-file\nflagged =no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.conf")
	if err := os.WriteFile(bad, []byte("memmory = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	twice := filepath.Join(t.TempDir(), "twice.conf")
	if err := os.WriteFile(twice, []byte("addr = b\naddr = c\nlist = 1\nlist = 2,3\nflagged = 4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		env  map[string]string
		want string // memory addr flagged list...
		err  string
	}{
		{"defaults", nil, nil, "1 a x", ""},
		{"file", []string{"--config", file}, nil, "3 from-file no", ""},
		{"env beats file", []string{"--config", file}, map[string]string{"HEARTH_MEMORY": "2"}, "2 from-file no", ""},
		{"flag beats all", []string{"--config", file, "--memory", "9"}, map[string]string{"HEARTH_MEMORY": "2"}, "9 from-file no", ""},
		{"file named by env", nil, map[string]string{"HEARTH_CONFIG": file}, "3 from-file no", ""},
		{"repeated in file", []string{"--config", twice}, nil, "1 c 4 1 2 3", ""},
		{"repeated in file, beaten", []string{"--config", twice, "--list=9"}, map[string]string{"HEARTH_ADDR": "z"}, "1 z 4 9", ""},
		{"bad env", nil, map[string]string{"HEARTH_NUMBER": "much"}, "", "HEARTH_NUMBER"},
		{"misspelt in file", []string{"--config", bad}, nil, "", "bad.conf:1"},
		{"named file is missing", []string{"--config", file + "x"}, nil, "", "settings file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := withSettings(&cobra.Command{})
			mem := cmd.Flags().String("memory", "1", "")
			cmd.Flags().Int("number", 0, "")
			addr := cmd.Flags().String("addr", "a", "")
			flagged := cmd.Flags().String("flagged", "x", "")
			list := cmd.Flags().StringSlice("list", nil, "")
			if err := cmd.ParseFlags(tt.args); err != nil {
				t.Fatal(err)
			}
			env := func(k string) (string, bool) { v, ok := tt.env[k]; return v, ok }
			err := loadSettings(cmd.Flags(), env)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error = %v, want %q in it", err, tt.err)
				}
				if strings.Contains(err.Error(), "much") {
					t.Errorf("error quotes the value: %v", err)
				}
				return
			}
			if got := strings.Join(append([]string{*mem, *addr, *flagged}, *list...), " "); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestLimitsFlag(t *testing.T) {
	f := limitsFlag{whisk.DefaultSystemLimits()}
	if err := f.Set("memory.max=2048, blocking-wait=5s,list-max=10"); err != nil {
		t.Fatal(err)
	}
	if f.Memory.Max != 2048 || f.BlockingWait.Seconds() != 5 || f.ListMax != 10 {
		t.Errorf("limits = %+v", f.SystemLimits)
	}
	for _, bad := range []string{"nothing=1", "memory.max", "memory.max=-1", "blocking-wait=5", "memory.max=x"} {
		if err := f.Set(bad); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if !strings.Contains(limitsHelp(), "payload-size") {
		t.Error("the help does not list payload-size")
	}
}

func TestStages(t *testing.T) {
	s := newStages()
	var order []string
	for _, name := range []string{"store", "router", "front"} {
		s.start(name, func(ctx context.Context) error {
			<-ctx.Done()
			order = append(order, name) // stages end one after the other
			return ctx.Err()
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.wait(ctx); err != nil {
		t.Errorf("wait = %v", err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stop = %v", err)
	}
	if got := strings.Join(order, " "); got != "front router store" {
		t.Errorf("order = %s", got)
	}

	boom := errors.New("boom")
	s.start("breaks", func(context.Context) error { return boom })
	if err := s.wait(t.Context()); !errors.Is(err, boom) {
		t.Errorf("wait = %v, want boom", err)
	}
	_ = s.stop()
}

func TestDataDir(t *testing.T) {
	d, err := openData(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openData(d.path); err == nil || !strings.Contains(err.Error(), "another hearth is running") {
		t.Errorf("second open: %v", err)
	}
	k1, err := keyFile(d.file("k"))
	if err != nil || len(k1.Key) != 64 {
		t.Fatalf("keyFile = %v, %v", k1, err)
	}
	if k2, err := keyFile(d.file("k")); err != nil || k1 != k2 {
		t.Errorf("second keyFile = %v, %v", k2, err)
	}
	if st, err := os.Stat(d.file("k")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if err := (endpoints{PID: 1}).write(d.path); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if d, err = openData(d.path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.file(endpointsFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what another process said stayed: %v", err)
	}
	_ = d.close()
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:3233": true, "[::1]:1": true, "localhost:0": true, ":3233": false, "0.0.0.0:1": false, "10.0.0.1:1": false, "x": false} {
		if got := isLoopback(addr); got != want {
			t.Errorf("isLoopback(%q) = %t", addr, got)
		}
	}
}
