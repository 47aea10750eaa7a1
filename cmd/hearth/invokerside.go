package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/spf13/cobra"

	"hearth/invoker"
	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/process"
)

// invokerFlags are the settings of a process that has an invoker in it.
type invokerFlags struct {
	id            string
	memory        int64
	queue         int
	idle          time.Duration
	sandboxDir    string
	nodeModules   string
	fsyncInterval time.Duration
	resultSize    int64
	truncation    int64
}

func (f *invokerFlags) register(cmd *cobra.Command) {
	def := invoker.DefaultConfig()
	fs := cmd.Flags()
	fs.StringVar(&f.id, "id", "invoker0", "the invoker's name, the same at each start")
	fs.Int64Var(&f.memory, "memory", def.MemoryMB, "MB that all sandboxes share; each counts with its action's memory limit")
	fs.IntVar(&f.queue, "queue", def.QueueLimit, "calls that may wait for a sandbox")
	fs.DurationVar(&f.idle, "idle-timeout", def.IdleTimeout, "how long a sandbox stays warm without use")
	fs.StringVar(&f.sandboxDir, "sandbox-dir", "", "folder for the sandboxes' files (default: in --data, or below /var/lib/hearth where their users cannot get into --data)")
	fs.StringVar(&f.nodeModules, "node-modules", defaultNodeModules(), "folder of npm modules that nodejs actions can require besides their own; \"\" for none (default: the one that scripts/setup makes, if it is there)")
	fs.DurationVar(&f.fsyncInterval, "fsync-interval", def.Journal.FsyncInterval, "how often the journal is forced to disk; a power cut can lose that much of blocking records")
	f.resultSize, f.truncation = def.ResultBytes, def.TruncationBytes
}

func (f *invokerFlags) validate() error {
	if f.resultSize <= 0 || f.truncation <= 0 {
		return usageError(errors.New("--result-size and --truncation-size must be greater than 0"))
	}
	if f.memory < 128 {
		return usageError(fmt.Errorf("--memory %d: want at least 128 (MB)", f.memory))
	}
	if f.fsyncInterval <= 0 || f.idle <= 0 || f.queue < 0 {
		return usageError(errors.New("--fsync-interval and --idle-timeout must be greater than 0, --queue not negative"))
	}
	return nil
}

// invokerSide is an invoker with its driver.
type invokerSide struct {
	invoker *invoker.Invoker
	driver  sandbox.Driver
	metrics *metrics.Set
}

func newInvokerSide(f *invokerFlags, data *dataDir, apiHost string, log *slog.Logger) (*invokerSide, error) {
	s := &invokerSide{metrics: metrics.NewSet()}
	dir := f.sandboxDir
	if dir == "" {
		dir = data.file("sandboxes")
	}
	pc := process.DefaultConfig(dir)
	pc.Logger, pc.NodeModules = log, f.nodeModules
	d, err := process.New(pc)
	if err != nil {
		return nil, err
	}
	cfg := invoker.DefaultConfig()
	cfg.ID, cfg.Dir, cfg.MemoryMB, cfg.QueueLimit, cfg.IdleTimeout = f.id, data.file("invoker"), f.memory, f.queue, f.idle
	cfg.ResultBytes, cfg.TruncationBytes, cfg.Journal.FsyncInterval = f.resultSize, f.truncation, f.fsyncInterval
	cfg.Env = map[string]string{"__OW_API_HOST": apiHost}
	cfg.Logger, cfg.Metrics = log, s.metrics
	v, err := invoker.New(cfg, []sandbox.Driver{d})
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	s.invoker, s.driver = v, d
	return s, nil
}

func (s *invokerSide) start(st *stages) {
	st.start("invoker", func(ctx context.Context) error { return s.invoker.Run(ctx) })
}

func (s *invokerSide) close() error {
	return errors.Join(s.invoker.Close(), s.driver.Close())
}

// handOver waits a moment for the routers to acknowledge the last records: a
// machine that goes away for good should leave none in its journal.
func (s *invokerSide) handOver() {
	const limit, every = 2 * time.Second, 10 * time.Millisecond
	for end := time.Now().Add(limit); s.invoker.Unacknowledged() > 0 && time.Now().Before(end); {
		time.Sleep(every)
	}
}
