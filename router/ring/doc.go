// Package ring is a weighted consistent hash: it orders slots for a key so
// that the same view gives the same order everywhere, and so that a slot that
// joins n others takes about 1/n of the keys and moves no other.
//
// Each slot stands on the ring at [Points] times its weight places, which are
// hashes of its id alone: a restart under the same id moves no key. A key
// belongs to the first slot at or behind the key's own hash, then to the next
// distinct slots along the ring. Two slots at the same place are ordered by id.
//
// A [Ring] is immutable; a change of membership builds a new one.
package ring
