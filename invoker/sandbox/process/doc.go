// Package process is the driver that runs actions as plain Linux processes:
// nothing to install but the language itself.
//
// # Kinds
//
//   - nodejs and python: a launcher of ours, embedded in this package, loads
//     the code once and then answers run after run.
//   - go: an executable that speaks OpenWhisk's ActionLoop protocol itself.
//   - image openwhisk/dockerskeleton: any program; one process for each run.
//
// # Protocol of the launchers
//
// A launcher reads one JSON object per line from descriptor 10: first
// {"init": …}, then the bodies of OpenWhisk's /run. It answers each with one
// line on descriptor 11: activation id, HTTP status and body, parted by single
// spaces. It begins with the line "ready". The numbers are not 0 and 3, so that
// what user code reads or writes there by habit goes elsewhere; that code which
// searches for them and forges a reply can only spoil its own activation: a
// reply that nobody waits for, a second one, one for another id or too long a
// one ends the sandbox. An ActionLoop executable reads the same bodies from
// standard input and answers with bare JSON lines on descriptor 3.
//
// Output is read all the time, so that no program blocks on it for good, and
// dropped beyond the log limit. A launcher writes its reply after the output
// before it has reached the pipes; so once the reply is here, what the pipes
// hold is all that belongs to the activation.
//
// # A run
//
// costs one write, by the caller; one read, by the goroutine that reads the
// replies and then ends the run itself; and one poll of all pipes, which tells
// that there is no output and no second reply. A timer is touched once in a
// time limit, not once in a run. What a pipe does not take at once is written
// by a goroutine, and the run then ends when both it and the reply are done.
//
// # Isolation, first form
//
// As root each sandbox has a user id of its own; every process has no new
// privileges, a clean environment, no descriptors but its own, limits, a
// session of its own and a parent-death signal. Memory is bounded by a control
// group where there is one to have, else by watching the processes. Namespaces,
// system call filters and network filters are still missing, and
// [Driver.Isolation] says so.
//
// # Threads
//
// no_new_privs, the umask and a version 1 control group are attributes of a
// thread that its children inherit, and the parent-death signal comes when the
// thread that forked ends. So one locked thread, the starter, forks them all
// and lives as long as the driver.
package process
