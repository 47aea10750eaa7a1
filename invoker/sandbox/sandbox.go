package sandbox

import (
	"context"
	"encoding/json"
	"time"

	"hearth/whisk"
)

// Driver makes sandboxes of one technology. Its methods may be called from
// several goroutines at once.
type Driver interface {
	// Runtimes returns the kinds that Create accepts, in the form in which
	// the manifest shows them. It does not change while the process lives.
	Runtimes() []whisk.Runtime

	// Images returns the images that Create accepts for the kind
	// [whisk.Blackbox].
	Images() []string

	// Create starts a sandbox: its process is up and its launcher has
	// answered, no user code is in it. ctx bounds the start; once Create has
	// returned, ctx has no hold on the sandbox. An error leaves nothing
	// behind. An error of kind [whisk.BadRequest] is the user's fault, and its
	// message is shown to the user; any other is the platform's.
	Create(ctx context.Context, spec Spec) (Sandbox, error)

	// Isolation returns "full", or what is missing from it.
	Isolation() string

	// Close releases what the driver holds beyond its sandboxes, which the
	// caller has destroyed before.
	Close() error
}

// Spec is what a sandbox is made for. It does not name an action: a sandbox of
// a given Spec can be initialised with any action of that kind and memory.
type Spec struct {
	Kind     string            // "nodejs:20", or [whisk.Blackbox]
	Image    string            // kind blackbox only
	MemoryMB int64             // of the whole sandbox; beyond it, code is killed
	PidLimit int               // processes and threads in the sandbox; 0 is the driver's default
	Env      map[string]string // variables of every process in it, __OW_API_HOST for one
}

// Sandbox is one isolated instance of a runtime. Init is called once, then Run
// any number of times; these calls never overlap: the next Run follows the
// outcome of the one before. Destroy may be called at any time, from any
// goroutine, and makes a call under way end soon, as Exited if not by its reply.
type Sandbox interface {
	// Init loads the action's code. in.Timeout is its time limit, kept by the
	// sandbox; ctx ends only when the process shuts down. After an Outcome
	// that is not Replied and OK, the caller destroys the sandbox.
	Init(ctx context.Context, in *Init) Outcome

	// Run begins to run the action once, and does not wait for it. done gets
	// the outcome: exactly once, always, and never from the goroutine that
	// called Run. It is called by a goroutine of the sandbox's, so it must not
	// block for long nor call Destroy; it may call Run. in must stay as it is
	// until then. in.Timeout is the time limit, kept by the sandbox. After an
	// Ending other than Replied, the caller destroys the sandbox.
	Run(in *Run, done func(Outcome))

	// Destroy kills everything in the sandbox, waits until it is gone and
	// removes its files. It is idempotent; a second caller waits as well.
	Destroy()

	// Broken returns a channel that is closed when the sandbox has died or
	// has written while no call was under way. Such a sandbox serves no more.
	Broken() <-chan struct{}
}

// Init is one initialisation of a sandbox.
type Init struct {
	ID            whisk.ActivationID // of the activation that needs the sandbox
	TransactionID string
	Action        string // "/ns/[pkg/]name", of the action
	Version       string // "x.y.z", of the action
	Namespace     string // of who invokes it
	Main          string // "" is the runtime's default

	CodePath string // file that holds the code's text as the user sent it; "" if there is none. Read only, not to be kept open
	Binary   bool   // the text is base64 of an archive or a program

	Env    json.RawMessage // JSON object of strings, the init parameters; nil if there are none
	APIKey string          // "" if the action gets none; a secret

	Timeout     time.Duration // the action's time limit, for this phase alone
	LogBytes    int64         // of log lines kept, init's and first run's together
	ResultBytes int64         // of the reply kept
}

// Run is one run of an initialised sandbox. Its fields mean what they mean in
// [Init].
type Run struct {
	ID            whisk.ActivationID
	TransactionID string
	Action        string
	Version       string
	Namespace     string

	Args   json.RawMessage // JSON object or array: the merged arguments
	APIKey string

	Timeout     time.Duration
	LogBytes    int64
	ResultBytes int64
}

// Ending is how a call to a sandbox came to its end.
type Ending uint8

// The endings. Of all but Replied, the sandbox is of no more use.
const (
	Replied     Ending = iota // the launcher answered; OK and Body hold what
	TimedOut                  // no reply within the time limit
	Exited                    // the process ended, or closed its reply channel
	OutOfMemory               // killed for using more memory than the Spec allows
	Misbehaved                // a malformed, second or oversized frame, or one for another activation
)

func (e Ending) String() string {
	return [...]string{"replied", "timed out", "exited", "out of memory", "misbehaved"}[e%5]
}

// Outcome is what came of Init or Run.
type Outcome struct {
	Ending Ending

	// OK says that the launcher reported success: what is HTTP status 200 in
	// OpenWhisk's protocol between platform and runtime. Replied only.
	OK bool

	// Body is the launcher's reply, as raw bytes, cut to ResultBytes. It comes
	// from user code: it may be any JSON value, or no JSON at all. Size is its
	// length before the cut.
	Body []byte
	Size int64

	// Took is the time from handing over until the reply or the end.
	Took time.Duration

	// Logs are the lines written to stdout and stderr, in the record's form:
	// "2006-01-02T15:04:05.000000000Z stdout: text". Lines of a successful
	// Init are kept for the first Run's Outcome. LogsCut says that lines were
	// dropped because they went beyond LogBytes.
	Logs    []string
	LogsCut bool

	// Err is the cause of an ending other than Replied, for the log only.
	Err error
}
