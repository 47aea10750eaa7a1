package whisk

import (
	"encoding/json"
	"strings"
	"time"
)

// Call is one activation on its way to an invoker. It carries all that the
// invoker needs, so that invokers hold no store credentials and no keys beyond
// it. Nobody changes a Call once it has been handed over.
type Call struct {
	ID            ActivationID    `json:"id"`
	TransactionID string          `json:"tid"`
	Namespace     Namespace       `json:"ns"` // of who invokes: the activation's, and the sandbox's
	Subject       string          `json:"subject"`
	UUID          string          `json:"uuid"`             // the invoker's credential, by which its key can be found
	APIKey        string          `json:"apiKey,omitempty"` // "uuid:key", only where the action asks for it; a secret
	Target        *Target         `json:"target"`           // shared, immutable
	Env           json.RawMessage `json:"env,omitempty"`    // object of strings: the init parameters; nil if none
	Args          json.RawMessage `json:"-"`                // merged arguments: a JSON object (or array, inside a sequence)
	Cause         ActivationID    `json:"cause,omitzero"`
	InFlow        bool            `json:"inFlow,omitempty"`
	Waited        time.Duration   `json:"waited"`            // from the request's start until it was handed over
	NoQueue       bool            `json:"noQueue,omitempty"` // run at once or say busy: it waits better elsewhere

	Unstored bool    `json:"unstored,omitempty"` // the namespace has switched records off
	Bounds   *Bounds `json:"bounds,omitempty"`   // of the caller; nil: the system's hold

	Retry   *Retry `json:"retry,omitempty"`   // what the action asks for; shared, immutable
	Attempt int    `json:"attempt,omitempty"` // from 1 where Retry holds for this call, else 0
}

// Target is what a call runs: the part of an action that invokers need.
type Target struct {
	Name     ActionName `json:"name"`              // resolved
	Binding  string     `json:"binding,omitempty"` // "ns/pkg" of the binding it was reached through
	Version  Version    `json:"version"`
	Revision int64      `json:"revision"`
	Exec     Exec       `json:"exec"`
	Limits   Limits     `json:"limits"`
	WantsKey bool       `json:"wantsKey,omitempty"` // provide-api-key

	// Conductor: its results say what runs next. It and a sequence are run by
	// flow itself, and their calls' Args are the bare payload. Parameters are
	// what flow binds each run of a conductor to; plain runs have none.
	Conductor  bool       `json:"conductor,omitempty"`
	Parameters Parameters `json:"parameters,omitempty"`
}

// Record returns the part of the call's record that is known before it runs:
// everything but times, sandbox, response and logs.
func (c *Call) Record() *Activation {
	t := c.Target
	a := &Activation{
		ID: c.ID, Namespace: c.Namespace, Name: t.Name.Name, Package: t.Name.Package,
		Version: t.Version, Subject: c.Subject, Cause: c.Cause, Unstored: c.Unstored, Attempt: c.Attempt,
		Facts: Facts{Path: t.Name.Path(), Kind: t.Exec.Kind, Limits: &t.Limits, Binding: t.Binding, InFlow: c.InFlow},
	}
	if t.Conductor {
		a.Facts.Kind, a.Facts.Conductor = Sequence, true
	}
	if _, pkg, ok := strings.Cut(t.Binding, "/"); ok {
		a.Package = pkg
	}
	return a
}

// Failure returns the record of a call that the platform could not carry
// through: a [WhiskError] with the message, ending now (and starting now, as
// far as anybody knows).
func (c *Call) Failure(message string, now time.Time) *Activation {
	a := c.Record()
	a.Start, a.End = now.UnixMilli(), now.UnixMilli()
	a.Facts.Wait = c.Waited.Milliseconds()
	a.Response = ErrorResponse(WhiskError, message)
	c.Settle(a)
	return a
}

// Settle notes in the record of the call, which has its response, what becomes
// of a call that is to be run again when it fails.
func (c *Call) Settle(a *Activation) {
	if a.Again, a.Dead = 0, false; c.Attempt == 0 || c.Retry == nil || a.Response.Status == Success {
		return
	}
	a.Again = c.Retry.Pause(c.Attempt).Milliseconds()
	a.Dead = a.Again == 0
}

// Leave lets whoever waits for a call go away from it: at a time, or when Done is
// closed. The call then goes on without them, and Then is given its outcome,
// once, on another goroutine.
type Leave struct {
	At   time.Time
	Done <-chan struct{}
	Then func(*Activation, error)
}

// ReplyKind says what an invoker answers to a call.
type ReplyKind uint8

// What an invoker answers. After Busy, and after the router's Cancel, the call
// is gone from the invoker and has not started. NeedCode, Queued and Ready
// keep it waiting, not started. Done ends it. Lost is made by the transport,
// never by an invoker: the connection broke after the call was handed over, so
// it counts as started.
const (
	Busy     ReplyKind = iota + 1 // no room: try another invoker
	NeedCode                      // answer with Code or Cancel
	Queued                        // waiting for a sandbox; Ready follows
	Ready                         // a sandbox is reserved: answer with Go or Cancel, soon
	Done                          // Record is journalled
	Lost
)

func (k ReplyKind) String() string {
	return [...]string{"invalid", "busy", "need code", "queued", "ready", "done", "lost"}[k%7]
}

// Reply is one answer of an invoker to a call.
type Reply struct {
	Kind   ReplyKind
	Load   Load
	Record *Activation // Done only; complete, logs included
}

// Load is how full an invoker is.
type Load struct {
	UsedMB     int64 `json:"usedMB"` // of sandboxes that run or start
	CapacityMB int64 `json:"capacityMB"`
	Running    int   `json:"running"`
	Queued     int   `json:"queued"`
	QueueLimit int   `json:"queueLimit"`
	Draining   bool  `json:"draining,omitempty"`
}

// Share returns the fuller of memory and queue, 0 to 1 and above.
func (l Load) Share() float64 {
	var m, q float64
	if l.CapacityMB > 0 {
		m = float64(l.UsedMB) / float64(l.CapacityMB)
	}
	if l.QueueLimit > 0 {
		q = float64(l.Queued) / float64(l.QueueLimit)
	}
	return max(m, q)
}

// Hello is how an invoker introduces itself.
type Hello struct {
	ID          string    `json:"id"`          // the slot: stable over restarts
	Incarnation string    `json:"incarnation"` // this life of it
	Runtimes    []Runtime `json:"runtimes"`
	Images      []string  `json:"images"` // blackbox images it can run
	Load        Load      `json:"load"`
	Isolation   string    `json:"isolation"` // "full", or what is missing
}

// CallState is what an invoker knows of an id.
type CallState uint8

// What an invoker can know of an id.
const (
	UnknownCall  CallState = iota // never seen, cancelled, or acknowledged and dropped
	WaitingCall                   // queued or ready, not started
	RunningCall                   // started
	FinishedCall                  // its record is in the journal
)
