// Package wire carries calls between a router and an invoker of another
// process: [Server] serves any [Invoker] on a listener, [Client] is one
// invoker seen from far. Connections are unix sockets, whose peer must have
// the same uid (or be root), or TCP with mutual TLS, where each side's
// certificate names its [Role]. There is no third way in.
//
// # Protocol
//
// Each side begins with the eight bytes of the preface, "HEARTH", a zero and
// the newest version of the protocol that it speaks, and a hello in JSON: the
// router's role, the invoker's [whisk.Hello]. Then frames follow in both
// directions:
//
//	0   uint32  bytes of payload in this frame, at most 128 KiB
//	4   uint32  bytes of payload of the whole message
//	8   uint8   type
//	9   uint8   zero
//	10  uint16  zero
//	12  uint64  number of the call or question, chosen by the router; 0 if none
//	20  payload
//
// Numbers are big-endian. A message's payload is a row of parts, each a uint32
// length and as many bytes: a header is a row of values without names (see
// cursor), and everything that can be big (arguments, environment, results,
// logs, code) is a raw part of its own, never encoded.
//
//	type            from     parts
//	ping, pong      both     none
//	setting         router   none: its payload is a header
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
// A message of more than 32 KiB is sent in pieces. There is at most one such
// message under way in each direction, and whole messages of other numbers pass
// between its pieces, so that neither pings nor small calls wait behind
// megabytes. Messages of one number never overtake each other.
//
// What repeats is sent once. A caller and a target are a setting; the router
// announces it under a number below 1,024, which its calls then carry. Both
// sides forget all of them with the connection. A number is given to another
// setting simply by announcing that; calls in pieces, and those with a setting
// of more than 1 KiB, carry it themselves. Of the record with which a call is
// done travels only what the call does not say already.
//
// # Versions
//
// A connection speaks the lower of the two versions in the prefaces; who does
// not speak it any more hangs up. So two adjacent versions go together as long
// as the newer one can still do as the older one did: link.version, known
// before the first message behind the hello, tells append and parse functions
// which. Version n may change everything but the preface, the frame's head and
// that the hello is JSON (whose unknown fields are ignored). What it adds to a
// header goes to its end, under "version >= n"; when n-1 is given up, oldest
// is raised and the condition goes. Version 1 had headers in JSON and is not
// spoken any more.
//
// # Writing
//
// As long as few calls are under way who sends a message writes it to the
// socket, which costs no change of goroutine, as much of it as the socket takes
// at once. What it does not take, what is sent while another writes or while
// many calls are under way, and large messages are left to the link's writer
// goroutine, which writes all that has gathered at once. While the reader
// handles a burst of messages their answers wait for its end. Acknowledgements
// wait up to 10 ms for something else to go with. Nobody who sends ever waits.
//
// # What a broken connection means
//
// A call whose frames were not all written has not reached the invoker: the
// client answers it with Busy. Any other gets Lost; under TLS also one of which
// it cannot be told. The server drops the calls that wait (queued, ready or
// without code) and lets the others run; their records stay in the invoker's
// journal.
//
// # Bounds
//
// Every length is checked against its bound before anything is allocated, and
// the settings of a connection take a megabyte at most. The server bounds
// connections, calls in flight of each, and bytes of calls in flight of all;
// beyond the last two a call is answered with Busy. A peer that breaks the
// protocol, reads too slowly or says nothing for ten seconds is disconnected,
// which is logged once.
//
// # Locks
//
// Client.mu and session.mu are never held while a link's mu is taken, nor
// while a callback or the invoker is called.
package wire
