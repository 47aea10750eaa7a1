package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"hearth/whisk"
)

// Pair names the files of a certificate and its key.
type Pair struct{ Cert, Key string }

// Bounds of a certificate's validity. A little of the past allows for clocks
// that are late.
const (
	minValidity = time.Hour
	maxValidity = 10 * 365 * 24 * time.Hour
	lateClock   = 5 * time.Minute
)

// NewCA makes a CA with a key of its own (ECDSA P-256) and writes both files,
// which must not exist, with the mode 0600.
func NewCA(out Pair, validity time.Duration) error {
	t, err := template(validity, time.Now())
	if err != nil {
		return err
	}
	t.Subject = pkix.Name{Organization: []string{"Hearth"}, CommonName: "Hearth CA"}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return write(out, t, t, key, key)
}

// IssueCert makes a certificate of the role, signed by the CA, for hosts (DNS
// names and IP addresses: those by which an invoker is dialled), and writes
// both files, which must not exist, with the mode 0600. It is not valid for
// longer than the CA.
func IssueCert(ca, out Pair, role Role, hosts []string, validity time.Duration) error {
	if _, err := ParseRole(string(role)); err != nil {
		return err
	}
	if role == RoleInvoker && len(hosts) == 0 {
		return errors.New("an invoker's certificate needs a host")
	}
	parent, signer, err := loadCA(ca)
	if err != nil {
		return err
	}
	t, err := template(validity, time.Now())
	if err != nil {
		return err
	}
	if time.Now().After(parent.NotAfter) {
		return fmt.Errorf("the CA in %s has expired", ca.Cert)
	}
	if t.NotAfter.After(parent.NotAfter) {
		t.NotAfter = parent.NotAfter
	}
	t.Subject = pkix.Name{Organization: []string{"Hearth"}, OrganizationalUnit: []string{string(role)}, CommonName: string(role)}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if role == RoleInvoker {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if validHost(h) {
			t.DNSNames = append(t.DNSNames, h)
		} else {
			return fmt.Errorf("%q is neither a DNS name nor an IP address", h)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return write(out, t, parent, key, signer)
}

// validHost reports whether h can stand in a certificate as a DNS name.
func validHost(h string) bool {
	for i := range len(h) {
		c := h[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return h != "" && len(h) <= 253
}

func template(validity time.Duration, now time.Time) (*x509.Certificate, error) {
	if validity < minValidity || validity > maxValidity {
		return nil, fmt.Errorf("a validity of %v is not between %v and %v", validity, minValidity, maxValidity)
	}
	id := whisk.NewActivationID() // any 128 random bits
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(id[:]),
		NotBefore:    now.Add(-lateClock),
		NotAfter:     now.Add(validity),
	}, nil
}

func loadCA(p Pair) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	der, err := readPEM(p.Cert, "CERTIFICATE")
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.Cert, err)
	}
	if !cert.IsCA {
		return nil, nil, fmt.Errorf("the certificate in %s is not a CA's", p.Cert)
	}
	if der, err = readPEM(p.Key, "PRIVATE KEY"); err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.Key, err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, nil, fmt.Errorf("the key in %s is not the one of %s", p.Key, p.Cert)
	}
	return cert, signer, nil
}

func readPEM(path, kind string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("no %s in %s", strings.ToLower(kind), path)
	}
	return block.Bytes, nil
}

// write signs the certificate and writes it and its key, both or none.
func write(out Pair, t, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) error {
	cert, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, signer)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := create(out.Key, "PRIVATE KEY", der); err != nil {
		return err
	}
	if err := create(out.Cert, "CERTIFICATE", cert); err != nil {
		return errors.Join(err, os.Remove(out.Key))
	}
	return nil
}

func create(path, kind string, der []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
