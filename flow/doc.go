// Package flow carries activations through: blocking ones past the end of the
// request that began them, non-blocking ones through the durable queue, and
// those that are made of others.
//
// A run lives under flow's own context. [Flow.Invoke] waits for one and stops
// waiting when the blocking wait or the request ends; the run goes on. Before
// anybody is told that it does ([whisk.ErrPending]), a started row for its id
// is committed, so that the id ends in a record even if the process dies.
//
// [Flow.Submit] commits a queued row and returns. If there is room for it in a
// backlog in memory, bounded in rows and bytes, the row names this process as its
// holder, which no other router takes it from; else it is free. The claims of a
// holder are renewed all the time, so those of one that died run out. Whenever
// there is room, rows that are free or whose claim has run out are claimed, of the
// namespaces in turn, so that each of them has some here; the queue is never read from its beginning but at the start
// of a process that has it to itself.
//
// Workers take the next row from the namespace of which they have fewest in hand,
// and of its actions in turn. One namespace never has all of them. Just before a
// call is handed to an invoker its row is marked started, under a token that no
// other start uses and only if the claim still holds: only who holds the token
// runs the call, and whoever finds a started row of a process that is gone fails
// it, but never runs it. When the invokers have no room the row is queued again,
// its action rests for a moment, and the number of rows run at once is halved, to
// grow again with the successes. A few rows that were refused too often are offered
// so that an invoker may queue them, as it does with what somebody waits for: else
// lasting load would keep them from their turn.
//
// A call whose action asks for retries is queued again, in the transaction that
// ends the attempt, when that fails; all its attempts have one id, and the last
// one makes the record. Given up, it becomes a dead letter as well, which
// [Flow.Redrive] runs under a new id. [Flow.Cancel] ends what has not started.
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
// Time is the store's where routers must agree: claims and starts last as long as
// its clock says. What this process does in time it measures by a clock that
// nobody sets: a start whose answer came late is taken back, not used.
//
// Locks: run.mu and Flow.mu are never held at the same time, nor while the
// store, an invoker or a callback is called. gate.mu may be taken under either.
package flow
