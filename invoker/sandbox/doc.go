// Package sandbox declares what an invoker asks of the thing that runs one
// action's code: a [Driver] makes a [Sandbox], the sandbox is initialised once
// with code and then runs any number of times, one run after the other.
//
// The drivers are children of this package, one for each technology, and
// package sandboxtest holds the suite that each of them passes. A sandbox
// decides nothing about the platform: ids, times, statuses and texts of a
// record are the invoker's. A sandbox reports what it saw, in an [Outcome].
package sandbox
