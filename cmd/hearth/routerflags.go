package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/auth"
	"hearth/store"
	"hearth/whisk"
)

// routerFlags are the settings of a process that has a router in it.
type routerFlags struct {
	data         string
	addr         string
	tlsAddr      string
	tlsCert      string
	tlsKey       string
	opsAddr      string
	masterKey    string
	guestKey     string
	guestKeyFile string
	encrypt      string
	noThrottle   bool
	executeOnly  bool
	storage      storeFlags
	holdQueue    bool
	unsafe       bool
	drain        time.Duration
	recordsKept  whisk.Retention
	deadKept     whisk.Retention
	limits       limitsFlag
	vanityDomain string
	debug        bool
}

func (f *routerFlags) register(cmd *cobra.Command) {
	f.limits.SystemLimits = whisk.DefaultSystemLimits()
	fs := cmd.Flags()
	fs.StringVar(&f.data, "data", defaultDataDir(), "folder for all state; made if it is not there")
	fs.StringVar(&f.addr, "addr", "127.0.0.1:3233", "where the API listens; port 0 takes a free one")
	fs.StringVar(&f.tlsAddr, "tls-addr", "", "where the API listens with TLS as well")
	fs.StringVar(&f.tlsCert, "tls-cert", "", "certificate file for --tls-addr (default: self-signed, made at the first start)")
	fs.StringVar(&f.tlsKey, "tls-key", "", "key file for --tls-cert")
	fs.StringVar(&f.opsAddr, "ops-addr", "127.0.0.1:3234", "where /metrics, /healthz, /debug/pprof and, on loopback, the admin API listen")
	fs.StringVar(&f.masterKey, "master-key-file", "", "file with the key, 64 hexadecimal digits, under which credentials and queue rows are kept (default: master.key in --data, made at the first start)")
	fs.StringVar(&f.guestKey, "guest-key", "", "UUID:KEY for the namespace guest instead of a random one; for tests: others on this machine can read arguments")
	fs.StringVar(&f.guestKeyFile, "guest-key-file", "", "file with the UUID:KEY for the namespace guest")
	fs.StringVar(&f.encrypt, "encrypt-parameters", "off", "store parameters of actions, packages and triggers in the open (off) or sealed under the master key (aes-256); holds for what is written from now on, see hearth admin rekey")
	fs.BoolVar(&f.noThrottle, "no-throttle", false, "lift the limits on invokes per minute and at once")
	fs.BoolVar(&f.executeOnly, "shared-execute-only", false, "let others invoke what is in a published package, but not read it")
	f.storage.register(fs)
	fs.BoolVar(&f.unsafe, "unsafe", false, "allow an --addr beyond loopback although sandboxes are isolated only in part, and an --ops-addr that asks for no credentials")
	fs.BoolVar(&f.holdQueue, "hold-queue", false, "accept calls that nobody waits for, but run none of them: they wait for a router without this flag")
	fs.DurationVar(&f.drain, "drain", 60*time.Second, "how long running actions may take to finish after SIGTERM")
	kept := store.DefaultJanitorConfig()
	fs.TextVar(&f.recordsKept, "records-kept", whisk.Retention(kept.RecordsKept), "how long activation records are kept, such as 7d or 12h; 0 for ever; hearth admin limits set NAMESPACE --retention sets it for one namespace")
	fs.TextVar(&f.deadKept, "dead-letters-kept", whisk.Retention(kept.DeadKept), "how long calls are kept that failed at their last attempt; 0 for ever")
	fs.Var(&f.limits, "limit", "set a limit, such as memory.max=1024; may be repeated (see above)")
	fs.StringVar(&f.vanityDomain, "vanity-domain", "localhost", "serve the web actions of each namespace at NAMESPACE.DOMAIN as well; \"\" for no such hosts")
	fs.BoolVar(&f.debug, "debug", false, "log more")
	cmd.Long += "\n\n" + limitsHelp()
}

func (f *routerFlags) validate() error {
	if err := f.limits.Validate(); err != nil {
		return usageError(err)
	}
	if err := f.storage.validate(); err != nil {
		return err
	}
	if _, err := encryption(f.encrypt); err != nil {
		return usageError(err)
	}
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return usageError(fmt.Errorf("--tls-cert and --tls-key go together"))
	}
	if f.tlsCert != "" && f.tlsAddr == "" {
		return usageError(fmt.Errorf("--tls-cert says nothing without --tls-addr"))
	}
	if f.guestKey != "" && f.guestKeyFile != "" {
		return usageError(fmt.Errorf("--guest-key and --guest-key-file exclude each other"))
	}
	if _, err := f.guest(); err != nil { // before anything is written
		return err
	}
	for _, a := range []struct{ flag, addr string }{{"addr", f.addr}, {"tls-addr", f.tlsAddr}} {
		if a.addr != "" && !f.unsafe && !isLoopback(a.addr) {
			return usageError(fmt.Errorf("--%s %s can be reached from other machines, and sandboxes are isolated only in part yet: "+
				"whoever can invoke actions can read this machine. Listen on 127.0.0.1, or add --unsafe if you trust everybody with a key", a.flag, a.addr))
		}
	}
	return checkOpsAddr(f.opsAddr, f.unsafe)
}

// checkOpsAddr refuses an address for operators that others can reach.
func checkOpsAddr(addr string, unsafe bool) error {
	if addr == "" || unsafe || isLoopback(addr) {
		return nil
	}
	return usageError(fmt.Errorf("--ops-addr %s can be reached from other machines and asks for no credentials; add --unsafe if that is wanted", addr))
}

// guest returns the key given for the namespace guest, nil if none is.
func (f *routerFlags) guest() (*whisk.AuthKey, error) {
	text := f.guestKey
	if f.guestKeyFile != "" {
		b, err := os.ReadFile(f.guestKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--guest-key-file: %w", err)
		}
		text = string(b)
	}
	if text == "" {
		return nil, nil
	}
	key, err := auth.ParseKey(strings.TrimSpace(text))
	if err != nil {
		return nil, usageError(fmt.Errorf("guest key: want UUID:KEY with a key of 64 letters and digits"))
	}
	return &key, nil
}

// encryption reads a setting of --encrypt-parameters.
func encryption(text string) (on bool, err error) {
	switch text {
	case "off":
		return false, nil
	case whisk.AES256:
		return true, nil
	}
	return false, fmt.Errorf("--encrypt-parameters %s: want off or %s", text, whisk.AES256)
}
