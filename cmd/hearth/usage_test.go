package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServerUsage holds that mistakes in the settings of servers are said
// before anything is written, and exit with 2.
func TestServerUsage(t *testing.T) {
	key := strings.Repeat("k", 64)
	for _, c := range []struct {
		args string
		want string
	}{
		{"up extra", "unknown command"},
		{"up --nothing", "unknown flag"},
		{"up --store memory", "--store memory"},
		{"up --limit memory.max=1", "limit memory"},
		{"up --limit nothing=1", `"nothing"`},
		{"up --addr 0.0.0.0:0", "add --unsafe"},
		{"up --tls-addr :0", "add --unsafe"},
		{"up --ops-addr 10.0.0.1:0", "asks for no credentials"},
		{"up --tls-cert a", "go together"},
		{"up --tls-cert a --tls-key b", "without --tls-addr"},
		{"up --guest-key x:" + key, "guest key"},
		{"up --guest-key a --guest-key-file b", "exclude"},
		{"up --memory 1", "--memory 1"},
		{"up --memory 128", "no action with the default memory limit, 256 MB"},
		{"up --limit list-default=300", "list default is 300"},
		{"router", "--invoker is missing"},
		{"router extra --invoker unix:/x", "unknown command"},
		{"invoker", "--listen is missing"},
		{"invoker --listen unix:/x --ops-addr :1", "asks for no credentials"},
		{"tls ca extra", "unknown command"},
		{"tls cert --role router", "--out is missing"},
		{"tls cert --out x", "--role"},
	} {
		data := filepath.Join(t.TempDir(), "data")
		args := strings.Fields(c.args)
		if args[0] != "tls" {
			args = append(args, "--data", data, "--config", os.DevNull)
		}
		err := run(context.Background(), args, nil, io.Discard, io.Discard)
		if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v with exit code %d, want %q with %d", c.args, err, exitCode(err), c.want, exitUsage)
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error quotes the key: %v", c.args, err)
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("%s: made the data folder", c.args)
		}
	}
}

func TestVersion(t *testing.T) {
	var out strings.Builder
	if err := run(context.Background(), []string{"--version"}, nil, &out, io.Discard); err != nil || out.String() != "hearth "+buildVersion()+"\n" {
		t.Errorf("printed %q, %v", out.String(), err)
	}
}
