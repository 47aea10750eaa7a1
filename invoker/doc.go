// Package invoker runs actions on one machine: it keeps a pool of sandboxes
// warm within a bound of memory, runs each call in one of them, makes the
// call's record and keeps it in a journal until the store has it.
//
// # A call
//
// Call takes it in and it is in one of these states until its Done:
//
//	fetching  its code is not here: the first call of a digest asks by
//	          NeedCode, others with that digest wait for what comes of it
//	queued    waits for a sandbox of its action, or for memory: Queued is
//	          said unless that takes but a moment
//	ready     a sandbox or memory is reserved: Ready was said, Go is awaited
//	running   handed to a sandbox; it can not be cancelled any more
//
// A call that never got further than ready ends by Busy or by the router's
// Cancel. Every other call ends by Done with a record, and Done is said only
// when the record is in the journal.
//
// # A sandbox
//
// Each has a worker, whose goroutine creates it, initialises it for its first
// call and destroys it. Between, no goroutine is handed a call: whoever frees
// mu after a warm sandbox was found for it writes its request, and the
// sandbox's reader of replies ends it, with its record, its place in the
// journal and its Done. It moves cold → starting → running → warm →
// running → … → removing; see state. Which sandbox a call gets is decided
// by pool, which does no I/O, knows no clock and holds no lock; Invoker calls
// it under its mutex and carries out what it says, and while calls run or wait
// watch tells it of the time that passes and of the processors' load.
//
// # Locks
//
// Order: Invoker.mu, then that of a call's mailbox, of the code cache or of the
// journal. No I/O and no reply happens under any of them.
package invoker
