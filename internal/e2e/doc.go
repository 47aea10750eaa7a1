// Package e2e holds end-to-end tests: they build the real binary, start it as
// a user would and speak to it over HTTP. Each test is the small form of a
// proof; with HEARTH_PROVE=1, which scripts/prove sets, it runs at full size.
package e2e
