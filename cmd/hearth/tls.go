package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hearth/wire"
)

func newTLSCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tls",
		Short: "Make a certificate authority and certificates for trials",
		Long: `Tls makes what routers and invokers on different machines need to trust each other: a certificate
authority, and a certificate for each process, which carries its role.

  hearth tls ca   --out ca
  hearth tls cert --ca ca --out node1 --role invoker --host 10.1.2.3
  hearth tls cert --ca ca --out router1 --role router

It writes ca.crt and ca.key, node1.crt and node1.key, and so on; keys with mode 0600.`,
	}
	cmd.AddCommand(newTLSCACmd(), newTLSCertCmd())
	return cmd
}

func pairNamed(name string) wire.Pair { return wire.Pair{Cert: name + ".crt", Key: name + ".key"} }

func newTLSCACmd() *cobra.Command {
	var out string
	var days int
	cmd := &cobra.Command{
		Use: "ca", Short: "Make a certificate authority", Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := wire.NewCA(pairNamed(out), time.Duration(days)*24*time.Hour); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "ok: wrote %s.crt and %s.key; keep the key away from the mesh's machines\n", out, out)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "ca", "name of the files, without .crt and .key")
	cmd.Flags().IntVar(&days, "days", 365, "how long it is valid")
	return cmd
}

func newTLSCertCmd() *cobra.Command {
	var ca, out, role string
	var hosts []string
	var days int
	cmd := &cobra.Command{
		Use: "cert", Short: "Make a certificate for a router or an invoker", Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError(errors.New("--out is missing: the name of the files to write"))
			}
			r, err := wire.ParseRole(role)
			if err != nil {
				return usageError(fmt.Errorf("--role: %w", err))
			}
			if err := wire.IssueCert(pairNamed(ca), pairNamed(out), r, hosts, time.Duration(days)*24*time.Hour); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: wrote %s.crt and %s.key for a %s\n", out, out, r)
			return err
		},
	}
	cmd.Flags().StringVar(&ca, "ca", "ca", "name of the authority's files, without .crt and .key")
	cmd.Flags().StringVar(&out, "out", "", "name of the files to write, without .crt and .key")
	cmd.Flags().StringVar(&role, "role", "", "router or invoker")
	cmd.Flags().StringSliceVar(&hosts, "host", nil, "names and addresses by which an invoker is dialled")
	cmd.Flags().IntVar(&days, "days", 90, "how long it is valid")
	return cmd
}

// wireTLSFlags name the files for mutual TLS between routers and invokers.
type wireTLSFlags struct{ ca, cert, key string }

func (f *wireTLSFlags) register(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.ca, "wire-ca", "", "file with the authority's certificate, for TCP between routers and invokers")
	fs.StringVar(&f.cert, "wire-cert", "", "file with this process's certificate (see hearth tls)")
	fs.StringVar(&f.key, "wire-key", "", "file with its key")
}

// files returns the files, nil if none are named.
func (f *wireTLSFlags) files() (*wire.Files, error) {
	if f.ca == "" && f.cert == "" && f.key == "" {
		return nil, nil
	}
	if f.ca == "" || f.cert == "" || f.key == "" {
		return nil, usageError(errors.New("--wire-ca, --wire-cert and --wire-key go together"))
	}
	return &wire.Files{CA: f.ca, Cert: f.cert, Key: f.key}, nil
}

// listenTLS opens the API's TLS listener with the given certificate, or with a
// self-signed one that is made once and kept in the data folder.
func listenTLS(f *routerFlags, data *dataDir) (net.Listener, error) {
	pair := wire.Pair{Cert: f.tlsCert, Key: f.tlsKey}
	if pair.Cert == "" {
		pair = wire.Pair{Cert: data.file("api.crt"), Key: data.file("api.key")}
		if _, err := os.Stat(pair.Cert); errors.Is(err, fs.ErrNotExist) {
			if err := selfSign(pair, f.tlsAddr); err != nil {
				return nil, fmt.Errorf("self-signed certificate: %w", err)
			}
		}
	}
	cert, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	ln, err := listen("tls-addr", f.tlsAddr)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(ln, &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

// selfSign writes a certificate for this machine's names, valid for ten years:
// nobody trusts it but those who are told to.
func selfSign(out wire.Pair, addr string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Hearth"}, CommonName: "hearth"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name, err := os.Hostname(); err == nil {
		t.DNSNames = append(t.DNSNames, name)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() && !ip.IsLoopback() {
			t.IPAddresses = append(t.IPAddresses, ip)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	pk, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	// The key first: a certificate on disk then always has its key.
	err = writeSecret(out.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}))
	if err != nil {
		return err
	}
	return writeSecret(out.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
