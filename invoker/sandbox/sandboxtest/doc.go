// Package sandboxtest is the suite that every sandbox driver passes. It tests
// what the invoker relies on, with real code in each language the driver
// offers: that good code runs, that bad code ends as [sandbox.Outcome] says it
// does, and that neither spoils the next sandbox.
package sandboxtest
