package wire

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// Files are the PEM files of one process.
type Files struct {
	CA   string // of the CA that signs everybody's certificates
	Cert string
	Key  string
}

// load reads the files. The certificate must carry the role own.
func (f Files) load(own Role) (*x509.CertPool, tls.Certificate, error) {
	text, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, tls.Certificate{}, fmt.Errorf("wire: CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, tls.Certificate{}, fmt.Errorf("wire: no CA certificate in %s", f.CA)
	}
	cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, tls.Certificate{}, fmt.Errorf("wire: certificate: %w", err)
	}
	if err := checkRole(cert.Leaf, own); err != nil {
		return nil, tls.Certificate{}, fmt.Errorf("wire: %s is not a %s's certificate", f.Cert, own)
	}
	return pool, cert, nil
}

// ServerTLS returns the configuration of an invoker's listener: routers must
// show a certificate of the CA that names their role.
func ServerTLS(f Files) (*tls.Config, error) {
	pool, cert, err := f.load(RoleInvoker)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:       tls.VersionTLS13,
		Certificates:     []tls.Certificate{cert},
		ClientAuth:       tls.RequireAndVerifyClientCert,
		ClientCAs:        pool,
		VerifyConnection: func(s tls.ConnectionState) error { return checkState(s, RoleRouter) },

		DynamicRecordSizingDisabled: true, // a burst is not cut into records of a packet each
	}, nil
}

// ClientTLS returns the configuration of a router's dialer: the invoker must
// show a certificate of the CA for the host that is dialled and with its role.
func ClientTLS(f Files) (*tls.Config, error) {
	pool, cert, err := f.load(RoleRouter)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:       tls.VersionTLS13,
		Certificates:     []tls.Certificate{cert},
		RootCAs:          pool,
		VerifyConnection: func(s tls.ConnectionState) error { return checkState(s, RoleInvoker) },

		DynamicRecordSizingDisabled: true,
	}, nil
}
