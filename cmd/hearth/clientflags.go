package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hearth/client"
	"hearth/whisk"
)

// requestTime bounds one call to the server: far beyond any blocking wait, and
// enough to send the largest action over a slow line.
const requestTime = 10 * time.Minute

// clientFlags are the flags that every client command takes: which server to
// call, as whom, and how loud to be.
type clientFlags struct {
	auth, host, version, cert, key string
	config                         string // properties file, "" for the usual one; only of projects
	insecure, verbose, debug       bool
}

func (f *clientFlags) addTo(fs *pflag.FlagSet) {
	f.addPlainTo(fs, "", "")
	fs.BoolVarP(&f.debug, "debug", "d", false, "show requests and answers in full")
}

// addPlainTo adds all flags but --debug, whose letter has another meaning with
// projects. cert and key are letters for --cert and --key, which mean other
// things elsewhere.
func (f *clientFlags) addPlainTo(fs *pflag.FlagSet, cert, key string) {
	fs.StringVarP(&f.auth, "auth", "u", "", "authorization `KEY`")
	fs.StringVar(&f.host, "apihost", "", "API `HOST`; without a scheme https")
	fs.StringVar(&f.version, "apiversion", "", "API `VERSION`")
	fs.StringVarP(&f.cert, "cert", cert, "", "`FILE` with a client certificate")
	fs.StringVarP(&f.key, "key", key, "", "`FILE` with the certificate's key")
	fs.BoolVarP(&f.insecure, "insecure", "i", false, "accept any server certificate: for trials only")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "show requests and answers")
}

// newClientGroup returns a group whose commands are client commands. It marks
// the group, so that clientArgs knows it.
func newClientGroup(use, short, long string) (*cobra.Command, *clientFlags) {
	cmd := newGroup(use, short, long)
	cmd.Annotations = map[string]string{clientMark: ""}
	f := new(clientFlags)
	f.addTo(cmd.PersistentFlags())
	return cmd, f
}

const (
	clientMark  = "client"
	projectMark = "projects" // clientMark's value where -p is not --param
)

// dummyToken is sent to API gateways by those who have no token.
const dummyToken = "DUMMY TOKEN"

// account is where and who the flags, environment and properties file say.
type account struct {
	host, auth, version, cert, key string
	token                          string // of the API gateway
}

// account lays flags over environment over the file over defaults.
func (f *clientFlags) account() (account, error) {
	a := account{version: client.DefaultConfig().Version, token: dummyToken}
	var props wskProps
	path, err := f.config, error(nil)
	if path == "" {
		path, err = propsPath()
	}
	if err == nil { // without a home there is no file, and nothing amiss
		if props, err = readProps(path); err != nil {
			return a, sorry("Unable to read the properties file '%s': %w", path, err)
		}
	}
	for _, s := range []struct {
		to             *string
		key, env, flag string
	}{
		{&a.host, "APIHOST", "WHISK_APIHOST", f.host},
		{&a.auth, "AUTH", "WHISK_AUTH", f.auth},
		{&a.version, "APIVERSION", "WHISK_APIVERSION", f.version},
		{&a.cert, "CERT", "", f.cert},
		{&a.key, "KEY", "", f.key},
		{&a.token, "APIGW_ACCESS_TOKEN", "", ""},
	} {
		if v, ok := props.get(s.key); ok {
			*s.to = v
		}
		if s.env != "" && os.Getenv(s.env) != "" {
			*s.to = os.Getenv(s.env)
		}
		if s.flag != "" {
			*s.to = s.flag
		}
	}
	a.host = strings.TrimRight(a.host, "/")
	return a, nil
}

// client returns a client for the account. Traces go to trace.
func (f *clientFlags) client(a account, trace io.Writer) (*client.Client, error) {
	cfg := client.DefaultConfig()
	cfg.Host, cfg.Version, cfg.Insecure = a.host, a.version, f.insecure
	cfg.Key.UUID, cfg.Key.Key, _ = strings.Cut(a.auth, ":")
	cfg.UserAgent = "Hearth-CLI/1.0 (" + buildVersion() + ")"
	cfg.Proxy = http.ProxyFromEnvironment
	if _, err := client.BaseURL(a.host); err != nil {
		return nil, refuse(exitGeneral, "The API host is not valid: %w", err)
	}
	switch debug := f.debug || os.Getenv("WSK_CLI_DEBUG") != ""; {
	case debug:
		cfg.Trace, cfg.TraceBody = trace, 0
	case f.verbose:
		cfg.Trace = trace
	}
	switch {
	case a.cert != "" && a.key != "":
		pair, err := tls.LoadX509KeyPair(a.cert, a.key)
		if err != nil {
			return nil, sorry("Unable to initialize server connection: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	case !f.insecure && a.key != "":
		return nil, sorry("The Cert file is not configured. Please configure the missing Cert file.")
	case !f.insecure && a.cert != "":
		return nil, sorry("The Key file is not configured. Please configure the missing Key file.")
	}
	return client.New(cfg)
}

// session is what a client command works with.
type session struct {
	*client.Client
	account account
	out     *printer // results
	err     *printer // what wsk prints to stderr
}

// run makes a cobra function of a client command's.
func (f *clientFlags) run(do func(ctx context.Context, s *session, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a, err := f.account()
		if err != nil {
			return err
		}
		s := &session{account: a, out: newPrinter(cmd.OutOrStdout()), err: newPrinter(cmd.ErrOrStderr())}
		s.Client, err = f.client(a, s.out.w)
		if err != nil {
			return err
		}
		defer s.Close()
		err = do(cmd.Context(), s, args)
		if err == nil {
			err = s.out.err
		}
		return err
	}
}

// within gives one call its time.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTime)
}

// namespaceText is how messages name a namespace.
func namespaceText(ns whisk.Namespace) string {
	if ns == "_" {
		return "default"
	}
	return string(ns)
}
