package conformance

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/internal/binary"
)

const (
	patience = 15 * time.Second
	ownKey   = "5c1b2c7e-7a53-4a8e-9d0b-0e6a3c1f2d45:conformanceOnlyconformanceOnlyconformanceOnlyconformanceOnly0000"
)

// pending are the checks, as patterns of [path.Match] on section/check, that
// wait for something that Hearth does not have yet, and for what.
// HEARTH_TEST_PENDING=1 runs them.
var pending = map[string]string{
	"root/*Swagger document*":             "the API's description",
	"names/a name may begin with *":       entities,
	"names/a name that was deleted *":     entities,
	"names/*version of packages*":         entities,
	"names/*version of triggers*":         entities,
	"names/*version of rules*":            entities,
	"names/an update of packages *":       entities,
	"names/an update of triggers *":       entities,
	"names/an update of rules *":          entities,
	"names/a version of a new *":          entities,
	"names/version 0.0.0 *":               entities,
	"names/a version that is none *":      entities,
	"names/the name of one of *":          entities,
	"params/an annotation's value *":      entities,
	"params/annotations of one byte *":    entities,
	"params/parameters and annotations*":  entities,
	"params/numbers beyond *":             entities,
	"lists/* of the packages":             entities,
	"lists/* of the triggers":             entities,
	"lists/* of the rules":                entities,
	"lists/a count of * more than *":      entities,
	"lists/a list of * package *":         entities,
	"lists/a list without a limit *":      entities,
	"lists/a package's count *":           entities,
	"lists/actions in packages *":         entities,
	"lists/limit and skip *":              entities,
	"errors/a method that an entity *":    entities,
	"activations/an action in a package*": entities,
	"actions put/an unknown kind *":       "sequences",
}

const entities = "packages, triggers and rules"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given { // checks mostly wait for the host
		_ = flag.Set("test.parallel", "6")
	}
	os.Exit(binary.Run(m))
}

func TestConformance(t *testing.T) {
	cfg := Config{
		URL: os.Getenv("HEARTH_TEST_HOST"), Key: os.Getenv("HEARTH_TEST_KEY"), Key2: os.Getenv("HEARTH_TEST_KEY2"),
		System: os.Getenv("HEARTH_TEST_SYSTEM_KEY"), Patience: patience,
	}
	if cfg.URL == "" {
		cfg = own(t)
	}
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
	all := os.Getenv("HEARTH_TEST_PENDING") != ""
	for _, s := range Sections() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, check := range s.Checks {
				t.Run(check.Name, func(t *testing.T) {
					if what := waitsFor(s.Name + "/" + check.Name); what != "" && !all {
						t.Skip("waits for", what)
					}
					t.Parallel()
					h.Do(t, check)
				})
			}
		})
	}
}

// own starts a Hearth for the suite.
func own(t *testing.T) Config {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	var log bytes.Buffer
	cmd, ends := binary.Start(t, &log, dir, "up", "--no-throttle", "--data", dir, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0",
		"--guest-key", ownKey)
	t.Cleanup(func() {
		binary.Interrupt(t, cmd)
		if t.Failed() {
			b := log.Bytes()
			t.Logf("log of hearth up:\n%s", b[max(0, len(b)-8000):])
		}
	})
	system, err := os.ReadFile(filepath.Join(dir, "whisk.system.key"))
	if err != nil {
		t.Fatal(err)
	}
	return Config{URL: ends.API, Key: ownKey, Key2: strings.TrimSpace(string(system)), System: strings.TrimSpace(string(system)), Patience: patience}
}

// waitsFor is what a check waits for, "" for nothing.
func waitsFor(id string) string {
	for pattern, what := range pending {
		if ok, _ := path.Match(pattern, id); ok {
			return what
		}
	}
	return ""
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
	if len(seen) < 300 {
		t.Errorf("%d checks, want at least 300", len(seen))
	}
	for pattern := range pending {
		used := false
		for id := range seen {
			ok, err := path.Match(pattern, id)
			used = used || ok && err == nil
		}
		if !used {
			t.Errorf("no check is pending as %q", pattern)
		}
	}
}
