// Package pgtest runs PostgreSQL servers of their own for tests: each in a
// folder that it makes, reached through a unix socket there and in no other
// way. A server may be stopped, killed and started again amid a test, and ends
// with the process that started it.
//
// Where there is no PostgreSQL tests are skipped; scripts/setup test installs
// one. As root the servers run as the user postgres, or else nobody, since
// PostgreSQL refuses root.
package pgtest
