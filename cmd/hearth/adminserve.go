package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"hearth/api"
)

// adminTokenFile is the file in the data folder with the admin API's token.
const adminTokenFile = "admin.token"

// ops returns what the operator's listener serves. The admin API, whose answers
// hold keys in the open, is there only where no other machine can reach it.
func (s *routerSide) ops(l *listeners, more ...*metrics.Set) (http.Handler, error) {
	cfg := api.OpsConfig{Metrics: append(sets(s.metrics), more...), Logger: s.log, Health: s.health}
	if !isLoopback(l.ops.Addr().String()) {
		s.log.Warn("no admin API: --ops-addr can be reached from other machines; hearth admin works on the data folder")
		return api.NewOps(cfg), nil
	}
	token, err := ensureToken(s.data.file(adminTokenFile))
	if err != nil {
		return nil, err
	}
	if cfg.Admin, err = api.NewAdmin(api.AdminConfig{Accounts: s.accounts, Token: token, Logger: s.log}); err != nil {
		return nil, err
	}
	l.ends.Admin = l.ends.Ops + api.AdminRoot
	return api.NewOps(cfg), nil
}

// ensureToken returns the token in the file; if there is no such file it makes
// a random one and writes it there first.
func ensureToken(name string) (string, error) {
	token, err := readToken(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	token = hex.EncodeToString(b[:])
	return token, writeSecret(name, []byte(token+"\n"))
}

// maxSecretFile bounds what is read of a file with a token or a key.
const maxSecretFile = 4 << 10

// readToken reads the file with a token, which must be closed to others.
func readToken(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("admin token: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return "", fmt.Errorf("admin token: %w", err)
	} else if p := info.Mode().Perm(); p&0o077 != 0 {
		return "", fmt.Errorf("admin token %s: mode %#o lets others read it; remove it, and the next start makes another", name, p)
	}
	token, err := readSecret(f)
	if err != nil {
		return "", fmt.Errorf("admin token %s: %w", name, err)
	}
	return token, nil
}

// readSecret reads a secret of one line.
func readSecret(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSecretFile+1))
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(b))
	if s == "" || len(b) > maxSecretFile || strings.ContainsAny(s, "\r\n") {
		return "", errors.New("want one line of text")
	}
	return s, nil
}
