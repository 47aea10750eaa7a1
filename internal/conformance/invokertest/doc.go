// Package invokertest is the conformance suite of the call protocol between a
// router and an invoker: what a [router.Invoker] must do whatever carries it.
// Each transport runs it over the same scripted invoker.
package invokertest
