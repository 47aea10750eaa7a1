// Package router chooses an invoker for each call, hands the call over, and
// answers for its record.
//
// [Router.Invoke] follows the action's order on the hash ring (its home first,
// then the next ones; those over their load bound last) until an invoker takes
// the call. An invoker answers with [whisk.Reply] values:
//
//	Busy                 the next candidate is asked; when all refuse, the call
//	                     waits in a bounded queue or fails with ErrOverloaded
//	NeedCode             the code is fetched and sent
//	Queued, then Ready   the call waits at the invoker; Go starts it
//	Done                 the record goes to the recorder, and when it is
//	                     committed an Ack lets the invoker forget it
//	Lost                 the transport broke. A call that the invoker could not
//	                     have started moves on; any other is looked up by id
//	                     and, failing that, ends in a failure record
//
// A call that no invoker can run at all (its kind, its image, its memory) waits
// as others do while somebody may come who can. After [Config.AbsentAfter] its
// home gets it, to end it with a record that says why.
//
// A call that may have started is never handed to anybody again. Records are
// inserted if absent: where the router's failure record and the invoker's own
// meet, the first stands, and the router answers with the one that stands.
//
// Records that no router acknowledged are collected from the invokers'
// journals, at start and from then on ([Router.Collect], [Router.Run]).
//
// # Known caveats
//
// A new call tries the invokers before it queues up behind waiting ones, so
// that an idle warm sandbox is never kept waiting; under lasting overload it
// can overtake them.
//
// A call is offered to at most [Config.Tries] invokers in one go.
//
// # Locks
//
// Router.mu guards changes of membership; readers take the immutable view.
// member.mu guards one member's load, waiting.mu the queue. None is held while
// another is taken, nor while an invoker is called.
package router
