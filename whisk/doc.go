// Package whisk is Hearth's domain: actions, activations, names, limits,
// parameters, errors and the runtimes manifest of the OpenWhisk API, and the
// plain values that Hearth's other packages exchange (a [Call], its [Reply],
// a [Load]).
//
// It holds data and rules, no services: everything here can be used without a
// store, a network or a clock. It imports nothing but the standard library.
package whisk
