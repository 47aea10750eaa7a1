package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// Role is what a process is to others. A certificate carries it as its
// organizational unit.
type Role string

// The roles.
const (
	RoleRouter  Role = "router"
	RoleInvoker Role = "invoker"
)

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r == RoleRouter || r == RoleInvoker {
		return r, nil
	}
	return "", fmt.Errorf("unknown role %q, want %q or %q", s, RoleRouter, RoleInvoker)
}

// checkRole returns nil if the certificate carries the role.
func checkRole(cert *x509.Certificate, want Role) error {
	if !slices.Contains(cert.Subject.OrganizationalUnit, string(want)) {
		return fmt.Errorf("the peer's certificate is not a %s's", want)
	}
	return nil
}

// checkState returns nil if the handshake verified a peer of the role.
func checkState(s tls.ConnectionState, want Role) error {
	if len(s.VerifiedChains) == 0 || len(s.VerifiedChains[0]) == 0 {
		return errors.New("the peer showed no certificate of our CA")
	}
	return checkRole(s.VerifiedChains[0][0], want)
}
