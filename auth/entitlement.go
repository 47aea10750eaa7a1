package auth

import (
	"slices"

	"hearth/whisk"
)

// CheckKind returns nil if id may use actions of the kind, else an error of
// kind [whisk.Forbidden]. A namespace without a list may use all kinds.
func CheckKind(id *whisk.Identity, kind string) error {
	allowed := id.Overrides.AllowedKinds
	if len(allowed) == 0 || slices.Contains(allowed, kind) {
		return nil
	}
	return whisk.Errorf(whisk.Forbidden, "The supplied authentication is not authorized to access actions of kind '%s'.", kind)
}
