package conformance

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hearth/internal/binary"
)

const (
	patience = 15 * time.Second
	ownKey   = "5c1b2c7e-7a53-4a8e-9d0b-0e6a3c1f2d45:conformanceOnlyconformanceOnlyconformanceOnlyconformanceOnly0000"
)

// prove says that the suite is wanted whole, however long it takes.
var prove = os.Getenv("HEARTH_PROVE") != ""

const flows = "sequences, conductors and fires"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // each host has its own bound
		_ = flag.Set("test.parallel", "4096")
	}
	os.Exit(binary.Run(m))
}

func TestConformance(t *testing.T) {
	cfg, strict := given()
	if cfg.URL == "" {
		cfg = own(t, "--no-throttle")
		strict = own(t, "--limit", "blocking-wait=8s", "--shared-execute-only", "--encrypt-parameters", "aes-256", "--memory", "1024")
		strict.Strict = true
	}
	hosts := map[bool]*Host{false: connect(t, cfg), true: connect(t, strict)}
	for _, s := range Sections() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, check := range s.Checks {
				t.Run(check.Name, func(t *testing.T) {
					t.Parallel()
					hosts[s.Strict].Do(t, check)
				})
			}
		})
	}
}

// given are the host and the strict host that the environment names. They are
// one: an operator gives strict limits to namespaces there.
func given() (cfg, strict Config) {
	cfg = Config{
		URL: os.Getenv("HEARTH_TEST_HOST"), Key: os.Getenv("HEARTH_TEST_KEY"), Key2: os.Getenv("HEARTH_TEST_KEY2"),
		System: os.Getenv("HEARTH_TEST_SYSTEM_KEY"), Vanity: os.Getenv("HEARTH_TEST_VANITY"), Patience: patience,
		Prove: prove,
	}
	if command := strings.Fields(os.Getenv("HEARTH_TEST_ADMIN")); len(command) > 0 {
		cfg.Admin = operator(command...)
	}
	return cfg, cfg
}

// operator does what wskadmin does by a command with its verbs.
func operator(command ...string) func(context.Context, ...string) (string, error) {
	return func(ctx context.Context, words ...string) (string, error) {
		cmd := exec.CommandContext(ctx, command[0], slices.Concat(command[1:], words)...)
		out, err := cmd.Output()
		if bad, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(out), fmt.Errorf("%w: %s", err, bad.Stderr)
		}
		return string(out), err
	}
}

func connect(t *testing.T, cfg Config) *Host {
	t.Helper()
	h, err := NewHost(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return h
}

// own starts a Hearth for the suite, with a second namespace.
func own(t *testing.T, flags ...string) Config {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	var log bytes.Buffer
	args := []string{"up", "--data", dir, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--guest-key", ownKey}
	cmd, ends := binary.Start(t, &log, dir, append(args, flags...)...)
	t.Cleanup(func() {
		binary.Interrupt(t, cmd)
		if t.Failed() {
			b := log.Bytes()
			t.Logf("log of hearth up:\n%s", b[max(0, len(b)-8000):])
		}
	})
	bin, err := binary.Build()
	if err != nil {
		t.Fatal(err)
	}
	admin := operator(bin, "admin", "--data", dir)
	second, err := admin(t.Context(), "user", "create", "second")
	if err != nil {
		t.Fatal(err)
	}
	system, err := os.ReadFile(filepath.Join(dir, "whisk.system.key"))
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		URL: ends.API, Key: ownKey, Key2: strings.TrimSpace(second), System: strings.TrimSpace(string(system)), Vanity: "localhost",
		Admin: admin, Patience: patience, Prove: prove,
	}
}

// TestNames holds the suite to its size, and its checks to names of their own.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Sections() {
		for _, check := range s.Checks {
			id := s.Name + "/" + check.Name
			if seen[id] || strings.Count(id, "/") != 1 {
				t.Errorf("%q is no name of its own", id)
			}
			seen[id] = true
		}
	}
	if len(seen) < 800 {
		t.Errorf("%d checks, want at least 800", len(seen))
	}
}
