// Package api is Hearth's REST surface: it speaks the OpenWhisk API over HTTP.
//
// A request passes these gates, in this order: its id is settled; OPTIONS and
// the open endpoints are answered; the caller is authenticated; the path and
// the query are checked; invokes are throttled; the caller's rights are
// checked; and only then is a body read, within the endpoint's size bound and
// the process-wide budget of [Config].BodyBudget bytes.
//
// A web action's request passes others: nobody need
// have a key, so the namespace in the URL is charged before a body is read.
//
// Handlers return a reply or an error and never write themselves: [Server]
// encodes, counts and logs in one place, and one table turns an error's kind
// into its status. JSON that users sent or that actions returned is passed on
// as raw bytes, so numbers keep their text.
//
// Locks: none of its own. Everything shared is either immutable or atomic.
package api
