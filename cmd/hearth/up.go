package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
)

func newUpCmd() *cobra.Command {
	var rf routerFlags
	var vf invokerFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the whole platform in this process",
		Long: `Up runs a router and an invoker in one process, with its state in one folder.

The first start makes the namespaces guest and whisk.system with random keys. It prints the line that
connects a client. SIGTERM or Ctrl-C lets running actions finish (--drain) and stops; a second one
stops at once. What was promised to clients survives any end, kill -9 included.`,
		Args: noWords,
	}
	rf.register(cmd)
	vf.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := errors.Join(rf.validate(), vf.validate()); err != nil {
			return err
		}
		if least := rf.limits.Memory.Default; vf.memory < least {
			return usageError(fmt.Errorf("--memory %d: no action with the default memory limit, %d MB, could run; lower it with --limit memory.default=%d", vf.memory, least, vf.memory))
		}
		vf.resultSize, vf.truncation = rf.limits.ResultSize, rf.limits.TruncationSize
		return up(cmd.Context(), &rf, &vf, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return withSettings(cmd)
}

func up(ctx context.Context, rf *routerFlags, vf *invokerFlags, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	tuneRuntime()
	log := newLogger(stderr, rf.debug)
	data, err := openData(rf.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()) }()
	lns, err := openListeners(rf, data)
	if err != nil {
		return err
	}
	defer lns.close()

	side, err := newRouterSide(ctx, rf, data, log, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, side.close()) }()
	inv, err := newInvokerSide(vf, data, lns.ends.API, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inv.close()) }()

	st := newStages()
	defer func() { err = errors.Join(err, st.stop()) }()
	if lns.ops != nil {
		ops, err := side.ops(lns, inv.metrics)
		if err != nil {
			return err
		}
		serveOps(st, lns.ops, ops)
	}
	inv.start(st)
	if err := side.start(ctx, st, func() { side.router.Join(inv.invoker.Hello(), inv.invoker) }); err != nil {
		return err
	}
	if err := side.serve(st, lns.api...); err != nil {
		return err
	}
	if err := lns.ends.write(data.path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeEndpoints(data.path)) }()
	banner(stdout, side, lns.ends, inv.driver.Isolation(), time.Since(began))
	return st.wait(ctx)
}

// listeners are what a process with a router listens on.
type listeners struct {
	api  []net.Listener // plain first, then TLS
	ops  net.Listener   // nil: none
	ends endpoints
}

// openListeners opens all listeners before anything is started, so that a
// taken port is an error at once and sandboxes can be told the API's address.
func openListeners(f *routerFlags, data *dataDir) (_ *listeners, err error) {
	l := &listeners{ends: endpoints{PID: os.Getpid(), Memory: f.storage.kind == storeNone}}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	ln, err := listen("addr", f.addr)
	if err != nil {
		return nil, err
	}
	l.api, l.ends.API = append(l.api, ln), reachable("http", ln.Addr())
	if f.tlsAddr != "" {
		ln, err := listenTLS(f, data)
		if err != nil {
			return nil, err
		}
		l.api, l.ends.TLS = append(l.api, ln), reachable("https", ln.Addr())
	}
	if f.opsAddr != "" {
		if l.ops, err = listen("ops-addr", f.opsAddr); err != nil {
			return nil, err
		}
		l.ends.Ops = reachable("http", l.ops.Addr())
	}
	return l, nil
}

// close closes what is not closed yet; a server that ran has closed its own.
func (l *listeners) close() {
	for _, ln := range l.api {
		_ = ln.Close()
	}
	if l.ops != nil {
		_ = l.ops.Close()
	}
}
