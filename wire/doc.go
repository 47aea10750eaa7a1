// Package wire carries calls between a router and an invoker of another
// process: [Server] serves any [Invoker] on a listener, [Client] is one
// invoker seen from far. Connections are unix sockets, whose peer must have
// the same uid (or be root), or TCP with mutual TLS, where each side's
// certificate names its [Role]. There is no third way in.
//
// # Protocol
//
// Each side begins with the eight bytes of the preface, "HEARTH", a zero and
// the protocol's version, and a hello: the router's role, the invoker's
// [whisk.Hello]. Then frames follow in both directions:
//
//	0   uint32  bytes of payload in this frame, at most 32 KiB
//	4   uint32  bytes of payload of the whole message
//	8   uint8   type
//	9   uint8   zero
//	10  uint16  zero
//	12  uint64  number of the call or question, chosen by the router; 0 if none
//	20  payload
//
// Numbers are big-endian. A message's payload is a row of parts, each a uint32
// length and as many bytes: where there is a header it is JSON, and everything
// that can be big (arguments, environment, results, logs, code) is a raw part
// of its own, never encoded.
//
//	type            from     parts
//	ping, pong      both     none
//	call            router   header, arguments, environment
//	go, cancel      router   none
//	code            router   code
//	ack             router   ids, 16 bytes each
//	lookup          router   id
//	unacked         router   limit, uint32
//	reply           invoker  header, and for done: record, result, logs
//	lookup answer   invoker  error, state, and for finished: record, result, logs
//	unacked answer  invoker  error, and record, result, logs of each
//
// A message of more than one frame is sent in pieces. There is at most one
// such message under way in each direction, and whole messages of other
// numbers pass between its pieces, so that neither pings nor small calls wait
// behind megabytes. Messages of one number never overtake each other.
//
// # What a broken connection means
//
// A call whose frames were not all written has not reached the invoker: the
// client answers it with Busy. Any other gets Lost. The server drops the calls
// that wait (queued, ready or without code) and lets the others run; their
// records stay in the invoker's journal.
//
// # Bounds
//
// Every length is checked against its bound before anything is allocated. The
// server bounds connections, calls in flight of each, and bytes of calls in
// flight of all; beyond the last two a call is answered with Busy. A peer that
// breaks the protocol, reads too slowly or says nothing for ten seconds is
// disconnected, which is logged once.
//
// # Locks
//
// Client.mu and session.mu are never held while a link's mu is taken, nor
// while a callback or the invoker is called.
package wire
