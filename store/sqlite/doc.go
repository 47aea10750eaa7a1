// Package sqlite is the store's embedded engine: one SQLite database in one
// file, by a SQLite that needs no C.
//
// # Durability
//
// The journal is a write-ahead log. All writes go through one connection with
// synchronous=FULL, so that a commit has reached the disk when it returns;
// reads have a small pool of their own and never wait for writes. A second
// process on the same file is safe but slow: it is the command's duty to lock
// the folder.
//
// # Records
//
// A record is one row: its id, the numbers of namespace and name (the texts
// stand once, in tables of their own), its start, and the two parts of
// [store.EncodeActivation]. The row comes last in the table as it is
// inserted, whatever its id, so that big records are written in sequence. Two
// indexes serve the lists, by (namespace, start) and (namespace, name, start),
// and a third makes ids unique.
//
// Who holds a queued row, and who leads, is kept in memory: the file has one
// server. Only that a row is queued or started is written, and a new leader's
// term.
//
// A commit inserts many records by one statement. It deletes queue rows only
// of ids that may have one, which it knows without asking: blocking calls have
// none.
//
// Numbers of namespaces and names are never taken back. They are small, and as
// many as there were distinct names.
//
// # Changes
//
// Every change of a document, credential or limits is a row of the table
// changes, in the same transaction, and its seq is a document's revision. Old
// rows are pruned by age; the sequence goes on where it was.
//
// # Damage
//
// A byte that has changed in the file is never answered with: records carry
// checksums, code is held against its digest, and rows of documents,
// credentials and limits have a sum of their own. Reading one of these that is
// damaged fails with [whisk.ErrCorrupted], is logged, and counted as
// store_damaged_total; lists leave it out. It can be deleted and written anew.
// Payloads of the queue, of dead letters and of alarms are sealed, and fail to
// open. What a byte in the key of an index hides from a look-up is found by
// checking the whole file (hearth admin store check).
//
// # Migrations
//
// The files in migrations are carried out in the order of their numbers, each
// in one transaction that also notes the number in the table migrations. A
// file that has been released is never edited. A database with a number that
// this program does not know is refused.
package sqlite
