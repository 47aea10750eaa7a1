// Package conformance is a black-box suite of the OpenWhisk API: what a user
// can see over HTTP, one check for each behaviour. It knows nothing of
// Hearth's packages and runs against any host:
//
//	HEARTH_TEST_HOST=https://host HEARTH_TEST_KEY=uuid:key go test ./internal/conformance
//
// The namespace of the key must not be throttled. More is checked with
//
//	HEARTH_TEST_KEY2        the key of another namespace: what strangers may do
//	HEARTH_TEST_SYSTEM_KEY  that of whisk.system: what only it may
//	HEARTH_TEST_ADMIN       a command with wskadmin's verbs: users, limits, throttles
//	HEARTH_TEST_VANITY      the domain of the namespaces' own hosts
//	HEARTH_PROVE=1          that a calendar minute ends, however long that takes
//
// Without HEARTH_TEST_HOST the tests build hearth and start it themselves:
// once without throttles, and once strict, as Config.Strict says. Where Hearth
// differs on purpose, a host that says it is Hearth is held to that, and others
// are not asked.
//
// A section is a file with a function that returns its checks. A check makes
// what it needs under names of its own (what it PUTs is deleted at its end), so
// that checks run beside each other and beside what is there already; actions
// that many invoke come from fixture.go and are made once. A check ends at its
// first failure, which tells the request, what came and what was wanted.
package conformance
