package main

import (
	"net/url"
	"strings"

	"hearth/whisk"
)

// entityName is a name as a user writes it: foo, pkg/foo, /ns/foo,
// [/]ns/pkg/foo. Without a namespace it is "_", the caller's own.
type entityName whisk.ActionName

// parseEntityName reads a name. One that is only a namespace ("/ns") has
// neither Package nor Name.
func parseEntityName(s string) (entityName, error) {
	parts := strings.Split(s, "/")
	switch {
	case parts[0] == "" && len(parts) > 1:
		parts = parts[1:]
	case len(parts) < 3:
		parts = append([]string{"_"}, parts...)
	}
	bad := len(parts) > 3
	for _, p := range parts {
		bad = bad || p == "" || p == "." || p == ".."
	}
	if bad {
		return entityName{}, refuse(exitGeneral, "'%s' is not a valid qualified name: A valid qualified name must be specified.", s)
	}
	n := entityName{Namespace: whisk.Namespace(parts[0])}
	switch len(parts) {
	case 2:
		n.Name = parts[1]
	case 3:
		n.Package, n.Name = parts[1], parts[2]
	}
	return n, nil
}

// parseActionName reads a name that must be an action's.
func parseActionName(s string) (entityName, error) {
	n, err := parseEntityName(s)
	if err == nil && n.Name == "" {
		err = refuse(exitGeneral, "'%s' is not a valid qualified name: A valid qualified name must be specified.", s)
	}
	return n, err
}

func (n entityName) action() whisk.ActionName { return whisk.ActionName(n) }

// entity returns "[pkg/]name", by which messages name an action.
func (n entityName) entity() string {
	if n.Package == "" {
		return n.Name
	}
	return n.Package + "/" + n.Name
}

// String returns "/ns/[pkg/]name".
func (n entityName) String() string { return n.action().String() }

// escapeName escapes a segment for a URL that people read and copy.
func escapeName(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// parsePlainName reads the name of what is never in a package: of a package, a
// trigger or a rule.
func parsePlainName(s string) (whisk.EntityName, error) {
	n, err := parseActionName(s)
	if err == nil && n.Package != "" {
		err = refuse(exitGeneral, "'%s' is not a valid qualified name: A valid qualified name must be specified.", s)
	}
	return whisk.EntityName{Namespace: n.Namespace, Name: n.Name}, err
}

// entityArg reads the name that is a command's only word.
func entityArg(args []string, required string) (whisk.EntityName, error) {
	if err := wordCount(args, 1, 1, required); err != nil {
		return whisk.EntityName{}, err
	}
	return parsePlainName(args[0])
}

// getArgs reads a name and, behind it, a field of what v points to.
func getArgs(args []string, v any, required string) (n whisk.EntityName, field string, err error) {
	if err := wordCount(args, 1, 2, required); err != nil {
		return n, "", err
	}
	if len(args) == 2 {
		if field = args[1]; !hasField(v, field) {
			return n, "", sorry("Invalid field filter '%s'.", field)
		}
	}
	n, err = parsePlainName(args[0])
	return n, field, err
}
