// Package postgres is the store's engine for several routers: one PostgreSQL
// database, 14 or newer, or one schema of it.
//
// # Durability and order
//
// A commit has reached the server's disk when it returns, and that of its
// synchronous standbys if it has any; a server that would not do that by its
// own settings is told to. Claims and renewals of leases alone need not have:
// see [DB.Claim].
//
// # Commits
//
// A commit is one exchange with the server: every statement works on all ops of
// a class, given as arrays, and PostgreSQL takes what comes up to a Sync as one
// transaction. Ops of one id keep their order by being in different statements.
// Each is decided by the row that it changes, which its statement locks, so
// that READ COMMITTED is enough. Where two commits wait for each other
// PostgreSQL ends one, which is then tried again.
//
// What PostgreSQL would refuse is found before, and fails alone. If it refuses
// something nevertheless the ops are carried out one by one.
//
// # Claims
//
// A queued row names the claim by which it is held. A claim is a lease of one
// holder; renewing it renews all rows that it holds, which costs one row's
// update. A lease that was over before it was renewed stays over: the holder's
// next one is another claim, and rows of the old one are free. All times are
// those of the server's clock, now_ms().
//
// # Documents and changes
//
// Writes of documents hold an advisory lock of each namespace that they touch
// or look at, so that what a write needed is still so at its commit. The number
// of a change comes from one row, which whoever takes a number holds until its
// commit: numbers have no gaps and grow in the order of commits. It is taken
// last. Every commit of changes notifies the channel that [DB.AwaitChange]
// listens to.
//
// # Migrations
//
// The files in migrations are carried out in the order of their numbers, each
// in one transaction under an advisory lock, by whichever process comes first.
// A file that has been released is never edited. Each says from which number on
// programs work with the schema that it leaves, so that one version's routers
// may run beside the next one's; a program that is older than that is refused.
//
// # Connections
//
// Commits and claims have connections of their own, which reads cannot use up.
// When a connection breaks all are made anew, and a read is tried once more.
// Only a server that takes writes is connected to, so that with several hosts in
// the DSN a fail-over is followed.
package postgres
