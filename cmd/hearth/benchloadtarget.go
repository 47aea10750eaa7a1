package main

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"hearth/bench"
	"hearth/client"
	"hearth/whisk"
)

// target says what each request is.
func (l *benchLoad) target() (bench.HTTPConfig, error) {
	cfg := bench.HTTPConfig{URL: l.url, Method: l.method, Header: map[string]string{}, Timeout: l.timeout}
	if l.who.insecure {
		cfg.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user's explicit wish
	}
	for _, h := range l.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return cfg, usageError(fmt.Errorf("--header %q: want NAME: VALUE", h))
		}
		cfg.Header[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	text := []byte(l.body)
	if name, ok := strings.CutPrefix(l.body, "@"); ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return cfg, err
		}
		text = b
	}
	if len(text) > 0 || len(l.actions) > 0 {
		cfg.Body = func(buf []byte, _ int64) []byte { return append(buf, text...) }
	}
	var want func(int64, []byte) bool
	if l.size > 0 {
		p := bench.NewPayload(l.size)
		cfg.Body = p.Body
		if l.echo {
			want = p.Is
		}
	}
	if len(l.actions) > 0 {
		return l.invoke(cfg, want)
	}
	if want != nil {
		cfg.Check = bench.CheckResult(want)
	}
	return cfg, nil
}

// invoke makes the requests invocations.
func (l *benchLoad) invoke(cfg bench.HTTPConfig, want func(int64, []byte) bool) (bench.HTTPConfig, error) {
	a, err := l.who.account()
	if err != nil {
		return cfg, err
	}
	base, err := client.BaseURL(a.host)
	if err != nil {
		return cfg, usageError(fmt.Errorf("%w; give --apihost, or see hearth property", err))
	}
	cfg.URL = base.JoinPath(a.version).String()
	cfg.User, cfg.Password, _ = strings.Cut(a.auth, ":")
	query := "?blocking=true&result=true"
	switch {
	case l.async:
		query = ""
		cfg.Check = bench.CheckAccepted
	case l.record:
		query = "?blocking=true"
		cfg.Check = bench.CheckRecord(want)
	case want != nil:
		cfg.Check = bench.CheckResult(want)
	}
	var paths []string
	for _, name := range l.actions {
		n, err := parseActionName(name)
		if err != nil {
			return cfg, err
		}
		paths = append(paths, invokePath(base.JoinPath(a.version), n.action())+query)
	}
	pick := bench.Zipf(len(paths), l.zipf, l.plan.Seed)
	cfg.Path = func(buf []byte, seq int64) []byte { return append(buf, paths[pick(seq)]...) }
	return cfg, nil
}

// invokePath is the path of an action's invocations.
func invokePath(base *url.URL, n whisk.ActionName) string {
	ns := string(n.Namespace)
	if ns == "" {
		ns = "_"
	}
	parts := slices.DeleteFunc([]string{"namespaces", ns, "actions", n.Package, n.Name}, func(s string) bool { return s == "" })
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/" + strings.Trim(base.EscapedPath(), "/") + "/" + strings.Join(parts, "/")
}
