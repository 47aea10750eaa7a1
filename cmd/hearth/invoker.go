package main

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/spf13/cobra"

	"hearth/api"
	"hearth/wire"
)

func newInvokerCmd() *cobra.Command {
	var vf invokerFlags
	var wf wireTLSFlags
	var run invokerRun
	cmd := &cobra.Command{
		Use:   "invoker --listen ADDR",
		Short: "Run an invoker: sandboxes on this machine, for routers to use",
		Long: `Invoker runs actions in sandboxes on this machine. It holds no keys and no store; routers that are
told of it (hearth router --invoker ADDR) send it calls.

  hearth invoker --listen unix:/run/hearth/invoker0.sock --api-host http://127.0.0.1:3233
  hearth invoker --listen 10.1.2.3:3240 --wire-ca ca.crt --wire-cert node1.crt --wire-key node1.key

A unix socket serves this machine's same user and root; TCP needs certificates (see hearth tls).`,
		Args: noWords,
	}
	vf.register(cmd)
	wf.register(cmd)
	fs := cmd.Flags()
	fs.StringVar(&run.data, "data", defaultDataDir(), "folder for journal and code cache; made if it is not there")
	fs.StringVar(&run.listen, "listen", "", "where routers connect: unix:PATH or HOST:PORT")
	fs.StringVar(&run.apiHost, "api-host", "http://127.0.0.1:3233", "where actions find the API, their __OW_API_HOST")
	fs.StringVar(&run.opsAddr, "ops-addr", "127.0.0.1:3235", "where /metrics, /healthz and /debug/pprof listen")
	fs.Int64Var(&vf.resultSize, "result-size", vf.resultSize, "bytes that an action's result may have")
	fs.Int64Var(&vf.truncation, "truncation-size", vf.truncation, "bytes that are shown of a longer one")
	fs.DurationVar(&run.drain, "drain", defaultDrain, "how long running actions may take to finish after SIGTERM")
	fs.BoolVar(&run.unsafe, "unsafe", false, "allow an --ops-addr beyond loopback")
	fs.BoolVar(&run.debug, "debug", false, "log more")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := errors.Join(vf.validate(), run.validate()); err != nil {
			return err
		}
		return runInvoker(cmd.Context(), &run, &vf, &wf, cmd.ErrOrStderr())
	}
	return withSettings(cmd)
}

func runInvoker(ctx context.Context, run *invokerRun, vf *invokerFlags, wf *wireTLSFlags, stderr io.Writer) (err error) {
	tuneRuntime()
	log := newLogger(stderr, run.debug)
	files, err := wf.files()
	if err != nil {
		return err
	}
	var t *tls.Config
	if files != nil {
		if t, err = wire.ServerTLS(*files); err != nil {
			return err
		}
	}
	data, err := openData(run.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()) }()
	var ops net.Listener
	if run.opsAddr != "" {
		if ops, err = listen("ops-addr", run.opsAddr); err != nil {
			return err
		}
		defer ops.Close()
	}
	ln, err := wire.Listen(run.listen, t)
	if err != nil {
		return err
	}
	defer ln.Close()
	inv, err := newInvokerSide(vf, data, run.apiHost, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inv.close()) }()

	cfg := wire.DefaultServerConfig()
	cfg.Logger, cfg.Metrics = log, inv.metrics
	if err := cfg.Validate(); err != nil {
		return err
	}
	server := wire.NewServer(cfg, inv.invoker, inv.invoker.Hello)
	st := newStages()
	defer func() { err = errors.Join(err, st.stop()) }()
	if ops != nil {
		serveOps(st, ops, api.NewOps(api.OpsConfig{Metrics: sets(inv.metrics), Logger: log}))
	}
	inv.start(st)
	st.start("wire", func(ctx context.Context) error { return server.Serve(ctx, ln) })
	ends := endpoints{}
	ends.setProcess(ops)
	if err := ends.write(data.path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeEndpoints(data.path)) }()
	log.Info("invoker is ready", "id", vf.id, "listen", run.listen, "isolation", inv.driver.Isolation())
	err = st.wait(ctx)

	// The connections stay while calls finish: their routers wait for records.
	drain, cancel := context.WithTimeout(context.Background(), run.drain)
	defer cancel()
	if derr := inv.invoker.Drain(drain); derr != nil {
		log.Warn("calls were still running at the end of --drain", "error", derr)
	}
	inv.handOver()
	return err
}
