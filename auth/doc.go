// Package auth says who is asking and what they may do.
//
// An [Authenticator] turns the key of a request into a [whisk.Identity]. The
// store holds no key: a credential is found by its uuid and compared, in
// constant time, with an HMAC-SHA-256 under a key derived from the
// [MasterKey]. The key itself is kept sealed (AES-256-GCM, another derived key)
// for the calls that must carry it. A [Keyring] holds the derived keys, and
// seals also what others have to store: queue rows and parameters. A store knows
// its master key by a note; see [Keyring.Claim].
//
// Identities are cached in two tiers. What was looked up stands on probation
// for a short time, be it a credential, a blocked one or none at all; what was
// then opened with the right key moves to the lasting tier. So a flood of wrong
// keys churns only the small first tier, and a wrong key never locks out the
// right one.
//
// What nobody with a key asked for, a web action's run, is done as the owner of
// a namespace: by [Authenticator.Owner], which remembers a credential for each.
//
// [Accounts] are what an operator does: subjects, their keys, and the limits of
// namespaces.
//
// A [Throttle] counts what each credential does. Counters live in this process.
//
// Locks: each shard of the cache and of the throttle has its own mutex; none is
// held while another is taken or while the store is asked.
package auth
