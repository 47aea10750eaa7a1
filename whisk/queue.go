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
type QueueRow struct {
	Seq       int64 // assigned by the store, growing
	ID        ActivationID
	Namespace Namespace
	State     RowState
	Token     int64  // of the start; 0 while queued
	Until     int64  // ms since the epoch: when a started row counts as broken off
	Created   int64  // ms since the epoch
	Code      Digest // keeps the blob from being swept
	Payload   []byte // the sealed call
}
