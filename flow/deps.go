package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// Deps are what a Flow stands on. All are needed.
type Deps struct {
	Invoker  invoker
	Queue    queue
	Rows     rows
	Recorder recorder
	Sealer   sealer
	Keys     keys
	Actions  actions
	Throttle throttle

	Identities identities

	// Runtimes returns the manifest as it stands.
	Runtimes func() whisk.Runtimes

	// Builtins are the actions that the platform itself answers, by what their
	// Exec.Main says. There may be none.
	Builtins map[string]Builtin
}

// invoker carries a call through: the router. An error means that the call
// never started and has no record.
type invoker interface {
	Invoke(ctx context.Context, c *whisk.Call, patience time.Duration) (*whisk.Activation, error)
	// Follow is Invoke for one who may leave: whisk.ErrLeft says that the call
	// goes on and that l.Then will be given its outcome.
	Follow(ctx context.Context, c *whisk.Call, patience time.Duration, l whisk.Leave) (*whisk.Activation, error)
}

// queue changes rows of the durable queue. A call that fails may have happened.
type queue interface {
	Enqueue(ctx context.Context, row whisk.QueueRow) error

	// Start turns a queued row of the holder to started, for so long by the
	// store's clock, or renews the time of one that is started with the token.
	Start(ctx context.Context, id whisk.ActivationID, token, holder int64, lasts time.Duration) (bool, error)
	StartNew(ctx context.Context, row whisk.QueueRow, lasts time.Duration) error

	// Requeue turns a row that was started with the token back to queued, held by
	// the holder, or free if that is 0. Release makes a queued row of the holder
	// free. Both fail with kind Conflict if the row is not so.
	Requeue(ctx context.Context, id whisk.ActivationID, token, holder int64) error
	Release(ctx context.Context, id whisk.ActivationID, holder int64) error

	// Cancel ends a queued row, whoever holds it, in rec. false: there is none, or
	// it has started.
	Cancel(ctx context.Context, id whisk.ActivationID, rec *whisk.Activation) (bool, error)

	// Redrive turns the dead letter of an id into a queued row of another id:
	// [whisk.ErrNotFound].
	Redrive(ctx context.Context, id whisk.ActivationID, row whisk.QueueRow) error

	// Commit makes records and queued rows durable together. An error of kind
	// Unavailable says that nothing was taken.
	Commit(ctx context.Context, recs []*whisk.Activation, rows []whisk.QueueRow) error

	// Step takes an alarm from a tick and makes rec, if it is not nil, and rows
	// durable with it. false says that it was not at that tick: nothing was done.
	Step(ctx context.Context, step whisk.AlarmStep, rec *whisk.Activation, rows []whisk.QueueRow) (bool, error)
}

// rows reads the durable queue, and claims what waits there.
type rows interface {
	// QueueRows reads rows in the order of Seq. It may return fewer than limit,
	// but none only where there are no more.
	QueueRows(ctx context.Context, after int64, limit int) ([]whisk.QueueRow, error)
	// QueueRow and DeadLetter return [whisk.ErrNotFound] where there is none.
	QueueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (whisk.QueueRow, error)
	DeadLetter(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (whisk.DeadLetter, error)

	// Claim gives the holder queued rows that nobody holds, or whose holder has
	// not renewed its claims for [Config.Lease]. RenewClaims renews them.
	Claim(ctx context.Context, q whisk.ClaimQuery) ([]whisk.QueueRow, error)
	RenewClaims(ctx context.Context, holder int64) error

	// Overdue returns started rows whose time is over, the longest overdue first.
	Overdue(ctx context.Context, limit int) ([]whisk.QueueRow, error)
}

// recorder commits records. Record does not block; done may be called before
// it returns. done(nil) says that the store has noted the end, or, of one that is
// to be followed by another attempt (Again), that attempt.
type recorder interface {
	Record(rec *whisk.Activation, done func(error))
}

// sealer encrypts what goes into rows.
type sealer interface {
	Seal(plain, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}

// keys opens API keys for the calls that carry one.
type keys interface {
	APIKey(ctx context.Context, uuid string) (string, error)
}

// actions finds the components of sequences and compositions and the actions of
// rules, for the holder of a credential. Errors are of kind NotFound, or of
// another that is not Internal, where it may not invoke what it names.
type actions interface {
	ActionFor(ctx context.Context, uuid string, name whisk.ActionName) (*whisk.Resolved, error)
}

// identities finds what holds for the holder of a credential now.
type identities interface {
	Identity(ctx context.Context, uuid string) (*whisk.Identity, error)
}

// throttle charges one invocation of a rule's action, or refuses it with an
// error of kind Throttled. release ends what is in flight.
type throttle interface {
	Invocation(id *whisk.Identity) (release func(), err error)
}
