// Package cgroup bounds the memory and the processes of a sandbox with Linux
// control groups, and kills all that is in one. It works with version 1, with
// version 2, and with both side by side (limits in version 1, killing in
// version 2), wherever this process may write to its own group. [Open] says
// whether that is so; who gets an error from it has to watch memory otherwise.
//
// A [Tree] belongs to one driver, a [Group] to one sandbox. A process is put
// into a group before it runs its first instruction: in version 2 it is cloned
// into it ([Group.FD]), in version 1 it is forked from a thread that is in it
// for that moment ([Group.Enter]). A process moved in later could have forked
// before.
package cgroup
