package whisk

// EntityName is the full name of a package, a trigger or a rule, none of which
// is ever in a package.
type EntityName struct {
	Namespace Namespace `json:"namespace"`
	Name      string    `json:"name"`
}

// Path returns "ns/name".
func (n EntityName) Path() string { return string(n.Namespace) + "/" + n.Name }

// String returns the fully qualified form "/ns/name".
func (n EntityName) String() string { return "/" + n.Path() }

// IsZero reports whether n names nothing.
func (n EntityName) IsZero() bool { return n == EntityName{} }

// Package is a package as stored, without what is in it. Packages, triggers and
// rules are shared between requests, as actions are: nobody changes one.
type Package struct {
	Name        EntityName
	Binding     EntityName // the package that this one stands for; zero: it is no binding
	Version     Version
	Parameters  Parameters
	Annotations Parameters
	Publish     bool // everybody may read it and invoke what is in it
	Updated     int64
	Revision    int64 // as [Action.Revision]
}

// Trigger is a trigger as stored, with the rules that hang on it.
type Trigger struct {
	Name        EntityName
	Version     Version
	Parameters  Parameters
	Annotations Parameters
	Publish     bool
	Rules       []RuleLink // by rule name
	Updated     int64
	Revision    int64
}

// RuleLink is a rule as its trigger knows it, so that a fire needs no more than
// the trigger.
type RuleLink struct {
	Rule   EntityName
	Action ActionName // as the rule names it; it need not exist any more
	Active bool
}

// Rule is a rule as stored. Whether it is active stands in its trigger.
type Rule struct {
	Name        EntityName
	Trigger     EntityName
	Action      ActionName
	Version     Version
	Annotations Parameters
	Publish     bool
	Updated     int64
	Revision    int64
}

// Resolved is an action as it was reached: directly, in a package, or through a
// binding.
type Resolved struct {
	Action     *Action    // the provider's, Parameters its own
	Parameters Parameters // the package's, the binding's and the action's, later ones over earlier
	Package    *Package   // that the action is in; nil: the default package
	Binding    *Package   // that it was reached through; nil: none
}

// BindingPath returns "ns/pkg" of the binding, "" without one.
func (r *Resolved) BindingPath() string {
	if r.Binding == nil {
		return ""
	}
	return r.Binding.Name.Path()
}
