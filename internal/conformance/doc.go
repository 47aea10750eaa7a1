// Package conformance is a black-box suite of the OpenWhisk API: what a user
// can see over HTTP, one check for each behaviour. It knows nothing of
// Hearth's packages and runs against any host:
//
//	HEARTH_TEST_HOST=https://host HEARTH_TEST_KEY=uuid:key go test ./internal/conformance
//
// HEARTH_TEST_KEY2, the key of another namespace, adds what strangers may do,
// and HEARTH_TEST_SYSTEM_KEY, that of whisk.system, what only it may. The host
// must not throttle these namespaces. Without HEARTH_TEST_HOST the tests build
// hearth and start it themselves.
//
// A section is a file with a function that returns its checks. A check makes
// what it needs under names of its own (what it PUTs is deleted at its end), so
// that checks run beside each other and beside what is there already; actions
// that many invoke come from fixture.go and are made once. A check ends at its
// first failure, which tells the request, what came and what was wanted.
package conformance
