// Package journal keeps the finished records that an invoker must not lose
// until a router has acknowledged that the store has them.
//
// A journal is a directory of append-only segment files. What is pending is
// written by one write(2), from the goroutine of one of the appenders, while
// the others wait: [Journal.Append] returns once its record is with the
// kernel. So kill -9 loses no record whose Append returned; a loss of power
// may lose those of the last moment, see Config.FsyncInterval.
//
// Each segment is a sequence of frames and nothing else:
//
//	magic   4 bytes  00 'H' 'J' 01 (the last is the format's version)
//	crc     4 bytes  CRC-32C of all that follows
//	kind    1 byte   1 record, 2 acknowledgements
//	id     16 bytes  the activation's; zero in acknowledgements
//	head    4 bytes  length of the first part, little-endian
//	tail    4 bytes  length of the second part
//	head             the record as JSON, without result; or ids, 16 bytes each
//	tail             the result as the action gave it, JSON too
//
// JSON holds no zero byte, so that no record can hold a frame: after a damaged
// place the reader goes on at the next magic and no user can forge what it
// finds there. A damaged frame is counted and reported, never served. Damage
// that nothing whole follows is a torn write and is cut off.
//
// An acknowledged record is dropped from the index at once and from disk with
// its segment: segments go oldest first, each when nothing in it is needed. If
// one record keeps many behind it, what is needed of the oldest segment is
// copied to the end.
//
// Order of locks: the writer's role, then Journal.mu. No file is read, written
// or synced under mu.
package journal
