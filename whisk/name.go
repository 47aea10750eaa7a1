package whisk

import (
	"strings"
)

// MaxNameLength bounds each segment of a name, in bytes.
const MaxNameLength = 256

// Namespace is a tenant's name. "_" in a request stands for the caller's own
// and never gets past the API.
type Namespace string

// ActionName is an action's full name.
type ActionName struct {
	Namespace Namespace `json:"namespace"`
	Package   string    `json:"package,omitempty"` // "" is the default package
	Name      string    `json:"name"`
}

// Path returns "ns/[pkg/]name".
func (n ActionName) Path() string {
	if n.Package == "" {
		return string(n.Namespace) + "/" + n.Name
	}
	return string(n.Namespace) + "/" + n.Package + "/" + n.Name
}

// String returns the fully qualified form "/ns/[pkg/]name".
func (n ActionName) String() string { return "/" + n.Path() }

// EntityPath returns what documents show as the namespace: "ns" or "ns/pkg".
func (n ActionName) EntityPath() string {
	if n.Package == "" {
		return string(n.Namespace)
	}
	return string(n.Namespace) + "/" + n.Package
}

// ValidName reports whether s may name an entity: 1 to 256 ASCII characters,
// the first a letter, digit or underscore, then also @ . & - and, but for the
// last, spaces. [OpenWhisk: EntityName]
func ValidName(s string) bool {
	if len(s) == 0 || len(s) > MaxNameLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case i > 0 && (c == '@' || c == '.' || c == '&' || c == '-'):
		case i > 0 && i < len(s)-1 && c == ' ':
		default:
			return false
		}
	}
	return true
}

// CheckName returns nil if s may name an entity, else an error of kind
// [BadRequest] with OpenWhisk's text.
func CheckName(s string) error {
	if len(s) > MaxNameLength {
		return Errorf(BadRequest, "Name segement longer than allowed: %d > %d.", len(s), MaxNameLength)
	}
	if !ValidName(s) {
		return Errorf(BadRequest, "The name of the entity contains illegal characters.")
	}
	return nil
}

// CheckNamespace is CheckName for a namespace.
func CheckNamespace(s string) error {
	if len(s) > MaxNameLength {
		return Errorf(BadRequest, "Namespace longer than allowed: %d > %d.", len(s), MaxNameLength)
	}
	if !ValidName(s) {
		return Errorf(BadRequest, "The namespace contains illegal characters.")
	}
	return nil
}

// ParseActionName reads "/ns/[pkg/]name" or "ns/[pkg/]name". A namespace of
// "_" becomes own. Errors are of kind [BadRequest].
func ParseActionName(s string, own Namespace) (ActionName, error) {
	parts := strings.Split(strings.TrimPrefix(s, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 {
		return ActionName{}, Errorf(BadRequest, "The fully qualified name of the entity must contain at least the namespace and the name of the entity.")
	}
	n := ActionName{Namespace: Namespace(parts[0]), Name: parts[len(parts)-1]}
	if parts[0] == "_" {
		n.Namespace = own
	}
	if err := CheckNamespace(string(n.Namespace)); err != nil {
		return ActionName{}, err
	}
	if len(parts) == 3 {
		n.Package = parts[1]
		if err := CheckName(n.Package); err != nil {
			return ActionName{}, err
		}
	}
	if err := CheckName(n.Name); err != nil {
		return ActionName{}, err
	}
	return n, nil
}
