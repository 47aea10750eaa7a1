// Package client calls a Hearth (or OpenWhisk) server over its REST API: typed
// calls for actions, activations and what a server says of itself.
//
// A [Client] is safe for use by many goroutines and keeps connections open
// between calls. It never retries: a call that may have reached the server is
// reported as it is. How long a call may take is up to its context; how much
// of an answer is read is up to [Config.MaxAnswer].
//
// A server's refusal is an [*Error] with its status, text and transaction id;
// a call that did not come back is a [*NetworkError]; an answer that could not
// be understood is [ErrUnreadable].
package client
