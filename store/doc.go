// Package store keeps what must survive: entities, code, credentials,
// activation records and the durable queue.
//
// An [Engine] is one database ([hearth/store/sqlite], [hearth/store/postgres],
// or [None], which keeps entities in memory and records nowhere). All engines pass one suite, package
// storetest. On an engine stand two concrete types with the shared logic:
//
//   - [Entities] reads and writes actions, typed, through a bounded cache. It
//     drops what is written through it; a [Follower] tells it, and whoever else
//     caches, what another process has written, from the change log. Encrypted
//     parameters are open in its cache alone.
//   - [Recorder] writes records and queue rows in group commits: one loop, and
//     whatever is pending goes into one durable transaction.
//
// # What an engine promises
//
//   - The first record of an id wins; later ones are counted and dropped.
//   - A record's insert and the end of its queue row are one transaction.
//   - What was acknowledged survives kill -9 and power loss.
//   - Every change of an entity or credential takes the next number of one
//     change log, and an entity's revision is that number. Numbers never
//     return, not even after an entity was deleted and created again.
//
// # Locks
//
// Recorder.mu and the cache's mutex are leaves: no callback and no engine call
// happens under them.
package store
