// Package flow carries activations through: blocking ones past the end of the
// request that began them, non-blocking ones through the durable queue, and
// those that are made of others.
//
// A run lives under flow's own context. [Flow.Invoke] waits for one and stops
// waiting when the blocking wait or the request ends; the run goes on. Before
// anybody is told that it does ([whisk.ErrPending]), a started row for its id
// is committed, so that the id ends in a record even if the process dies.
//
// [Flow.Submit] commits a queued row and returns. The call then waits in a
// backlog in memory, bounded in rows and bytes; what does not fit is read back
// from the store when there is room. Workers take the namespaces in turn. Just
// before a call is handed to an invoker its row is marked started, under a
// token that no other start uses: only who holds the token runs the call, and
// whoever finds a started row of a process that is gone fails it, but never
// runs it. When the invokers have no room the row is queued again and rests for
// a moment, and the number of rows run at once is halved, to grow again with the
// successes.
//
// A row ends with its record: the store deletes it in the transaction that
// inserts the record, whoever hands that over.
//
// Sequences and compositions (see tree) are run here as plain calls are by an
// invoker: they can be refused until a component has started, and end in a
// record that is committed before anybody has the answer. What promises their
// ids is the same: the started row of a wait that ended, or that of the queue,
// for which they have workers of their own, since they wait for others. Their
// components are blocking calls of flow's own.
//
// [Flow.Fire] commits the record of a trigger and the queued rows of its rules'
// actions together.
//
// [Alarms] fires triggers by the clock: the step of an alarm to its next tick,
// the trigger's record and the queued rows are one transaction. Actions of kind
// [whisk.Builtin], of which the feeds of alarms are, are answered here, in the
// place of an invoker.
//
// Locks: run.mu and Flow.mu are never held at the same time, nor while the
// store, an invoker or a callback is called. gate.mu may be taken under either.
package flow
