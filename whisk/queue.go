package whisk

// RowState is where a row of the durable queue stands.
type RowState uint8

// A row is queued until its call is about to be handed to an invoker, then
// started; its end deletes it.
const (
	RowQueued RowState = iota
	RowStarted
)

// QueueRow is one activation that was promised to a client and has no record
// yet. It holds no open secret.
//
// A queued row is free, or held by a router that has it in memory and means to
// run it: nobody else may start it until the hold has run out and another has
// claimed it.
type QueueRow struct {
	Seq       int64 // assigned by the store, growing
	ID        ActivationID
	Namespace Namespace
	State     RowState
	Holder    int64  // the life of the router that holds it, or held it when it started; 0: nobody
	Token     int64  // of the start; 0 while queued
	Until     int64  // ms since the epoch, by the store's clock: when a started row counts as broken off
	Created   int64  // ms since the epoch
	Attempt   int    // the number, from 1, of the attempt that is next or under way; 0: it is not to be tried again
	Due       int64  // ms since the epoch, by the store's clock: not to be started before; 0: at once
	Code      Digest // keeps the blob from being swept
	Payload   []byte // the sealed call
}

// ClaimQuery says which queued rows a holder wants to have to itself. All of its
// fields must be above 0, Holder other than 0.
type ClaimQuery struct {
	Holder       int64
	Limit        int   // rows
	Bytes        int64 // of payloads, about; one row is given whatever its size
	PerNamespace int   // rows of any one namespace
}
