package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hearth/whisk"
	"hearth/wire"
)

const defaultDrain = 60 * time.Second

// invokerRun are the settings of `hearth invoker` beyond the invoker's own.
type invokerRun struct {
	data, listen, apiHost, opsAddr string
	drain                          time.Duration
	unsafe, debug                  bool
}

func (r *invokerRun) validate() error {
	if r.listen == "" {
		return usageError(errors.New("--listen is missing: unix:PATH, or HOST:PORT with certificates"))
	}
	return checkOpsAddr(r.opsAddr, r.unsafe)
}

func newRouterCmd() *cobra.Command {
	var rf routerFlags
	var wf wireTLSFlags
	var invokers []string
	cmd := &cobra.Command{
		Use:   "router --invoker ADDR",
		Short: "Run a router: the API and the store, with invokers elsewhere",
		Long: `Router serves the API and keeps the store; invokers in processes of their own run the actions.

  hearth router --invoker unix:/run/hearth/invoker0.sock
  hearth router --invoker 10.1.2.3:3240 --invoker 10.1.2.4:3240 --wire-ca ca.crt --wire-cert router1.crt --wire-key router1.key

Invokers may come and go: a router keeps dialling those in its list.`,
		Args: noWords,
	}
	rf.register(cmd)
	wf.register(cmd)
	cmd.Flags().StringSliceVar(&invokers, "invoker", nil, "address of an invoker, unix:PATH or HOST:PORT; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := rf.validate(); err != nil {
			return err
		}
		if len(invokers) == 0 {
			return usageError(errors.New("--invoker is missing: the address of at least one invoker"))
		}
		return runRouter(cmd.Context(), &rf, &wf, invokers, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return withSettings(cmd)
}

func runRouter(ctx context.Context, rf *routerFlags, wf *wireTLSFlags, invokers []string, stdout, stderr io.Writer) (err error) {
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
	side, err := newRouterSide(ctx, rf, data, log, len(invokers))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, side.close()) }()
	clients, err := dialers(side, wf, invokers)
	if err != nil {
		return err
	}

	st := newStages()
	defer func() { err = errors.Join(err, st.stop()) }()
	if lns.ops != nil {
		ops, err := side.ops(lns)
		if err != nil {
			return err
		}
		serveOps(st, lns.ops, ops)
	}
	for i, c := range clients { // they end after the recorder, whose last commits they acknowledge
		st.start("invoker "+invokers[i], c.Run)
	}
	if err := side.start(ctx, st, func() { side.awaitInvokers(ctx) }); err != nil {
		return err
	}
	if err := side.serve(st, lns.api...); err != nil {
		return err
	}
	if err := lns.ends.write(data.path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeEndpoints(data.path)) }()
	banner(stdout, side, lns.ends, "", time.Since(began))
	return st.wait(ctx)
}

// dialers makes a client for each invoker; it joins the router while its
// connection stands.
func dialers(s *routerSide, wf *wireTLSFlags, invokers []string) ([]*wire.Client, error) {
	files, err := wf.files()
	if err != nil {
		return nil, err
	}
	clients := make([]*wire.Client, len(invokers))
	present := newRoster(s.router, s.log)
	for i, addr := range invokers {
		cfg := wire.DefaultClientConfig()
		if cfg.Dial, err = dialer(addr, files); err != nil {
			return nil, usageError(fmt.Errorf("--invoker %s: %w", addr, err))
		}
		cfg.Name, cfg.Logger, cfg.Metrics = addr, s.log, s.metrics
		id := ""
		cfg.OnUp = func(h whisk.Hello) { id = h.ID; present.up(rosterEntry{addr, h, clients[i]}) }
		cfg.OnDown = func(error) { present.down(id, addr) }
		if err := cfg.Validate(); err != nil {
			return nil, err
		}
		clients[i] = wire.NewClient(cfg)
	}
	return clients, nil
}

func dialer(addr string, files *wire.Files) (wire.Dial, error) {
	if files == nil {
		return wire.Dialer(addr, nil)
	}
	t, err := wire.ClientTLS(*files)
	if err != nil {
		return nil, err
	}
	return wire.Dialer(addr, t)
}
