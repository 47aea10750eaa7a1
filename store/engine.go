package store

import (
	"context"
	"time"

	"hearth/whisk"
)

// Collection says what sort of entity a document is.
type Collection string

// The collections. All four share one id space.
const (
	Actions  Collection = "actions"
	Packages Collection = "packages"
	Triggers Collection = "triggers"
	Rules    Collection = "rules"
)

// Key names an entity. Package is "" but for actions in a package.
type Key struct {
	Namespace     whisk.Namespace
	Package, Name string
}

// String returns "ns/[pkg/]name".
func (k Key) String() string { return whisk.ActionName(k).Path() }

// Doc is an entity as an engine sees it: a key, what lists are sorted and
// filtered by, and a body that means nothing to the engine.
type Doc struct {
	Key
	Collection Collection
	Revision   int64        // the number of its last write in the change log
	Updated    int64        // ms since the epoch
	Code       whisk.Digest // keeps the blob from being swept; zero if there is none
	Public     bool         // everybody may find it in a list
	Body       []byte
}

// DocQuery selects documents. An empty Collection or a nil Package selects
// all of them; a Package of "" is the default package.
type DocQuery struct {
	Collection  Collection
	Namespace   whisk.Namespace
	Package     *string
	Public      bool // only what is public
	Skip, Limit int  // Limit 0 is no limit; counts ignore both
}

// ActivationQuery selects records of one namespace; a count ignores its Skip
// and Limit.
type ActivationQuery = whisk.ActivationQuery

// Credential is one way into a namespace, as stored.
type Credential = whisk.Credential

// Decide says what becomes of a subject's credentials, given those it has (as
// [Engine.SubjectCredentials] lists them): which are written, as new ones or
// over those of the same uuid, and which, by uuid, are deleted. It is called
// within a transaction, so it must not use the engine; it may be called again.
type Decide = func(have []Credential) (put []Credential, del []string, err error)

// Engine is one database. Its methods are safe for concurrent use and return
// errors of package whisk for what a caller did; any other error is the
// database's, and whether a write then happened is unknown.
type Engine interface {
	// Doc returns a document or [whisk.ErrNotFound].
	Doc(context.Context, Key) (Doc, error)
	// PutDoc writes a document and returns it with its new revision. With
	// ifRevision 0 the key must be free, in every collection, else
	// [whisk.ErrExists]; any other must be the stored revision, else
	// [whisk.ErrChanged].
	PutDoc(ctx context.Context, d Doc, ifRevision int64) (Doc, error)
	// DeleteDoc deletes a document: ErrNotFound; ErrChanged if ifRevision is
	// neither 0 nor the stored revision.
	DeleteDoc(ctx context.Context, k Key, ifRevision int64) error
	// WriteDocs carries writes out in their order in one transaction, each
	// seeing the ones before it, and returns what each has put, with its new
	// revision. Where one fails none happens, and the error is that one's.
	WriteDocs(context.Context, []Write) ([]Doc, error)
	// Docs lists documents, last updated first, then by key.
	Docs(context.Context, DocQuery) ([]Doc, error)
	CountDocs(context.Context, DocQuery) (int, error)

	// Changes lists what follows the change of that number in the change log,
	// at most limit of them, ascending. [ErrChangesLost] says that some of it
	// may be missing: whoever remembers anything has to forget it, and goes
	// on behind LastChange as it was before that.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	// LastChange returns the number of the last change, 0 before the first.
	LastChange(context.Context) (int64, error)

	// PutCode stores a blob under its digest. Storing it again makes it as
	// young as a new one.
	PutCode(context.Context, whisk.Digest, []byte) error
	// Code returns a blob or ErrNotFound.
	Code(context.Context, whisk.Digest) ([]byte, error)
	// SweepCode deletes the blobs that no document, queue row or dead letter
	// names and that were stored, or lost their last document, before the time. It
	// returns how many. Commits go on meanwhile.
	SweepCode(ctx context.Context, olderThan time.Time) (int, error)

	// Credential returns a credential or ErrNotFound.
	Credential(ctx context.Context, uuid string) (Credential, error)
	// Credentials lists a namespace's credentials by subject, then by uuid.
	Credentials(context.Context, whisk.Namespace) ([]Credential, error)
	// SubjectCredentials lists a subject's credentials by namespace, then by
	// uuid.
	SubjectCredentials(ctx context.Context, subject string) ([]Credential, error)
	// Namespaces lists the namespaces that have credentials, by name.
	Namespaces(context.Context) ([]whisk.Namespace, error)
	// ChangeSubject changes a subject's credentials as decide says, all in one
	// transaction: a uuid that is another subject's is [whisk.ErrExists], and
	// nothing is changed then, nor if decide fails.
	ChangeSubject(ctx context.Context, subject string, decide Decide) error

	// NamespaceLimits returns the zero value for a namespace without any.
	NamespaceLimits(context.Context, whisk.Namespace) (whisk.NamespaceLimits, error)
	// ChangeLimits replaces the limits of a namespace by what change makes of
	// them, in one transaction; the zero value deletes them. change must not
	// use the engine, and may be called again.
	ChangeLimits(ctx context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error

	// Note returns what was noted under a name, nil if nothing was. Notes are a
	// few small facts about the database itself.
	Note(ctx context.Context, name string) ([]byte, error)
	PutNote(ctx context.Context, name string, value []byte) error

	// Activation returns a record or ErrNotFound.
	Activation(context.Context, whisk.Namespace, whisk.ActivationID) (*whisk.Activation, error)
	// Activations lists records, last started first, then by id.
	Activations(context.Context, ActivationQuery) ([]*whisk.Activation, error)
	CountActivations(context.Context, ActivationQuery) (int, error)
	// ExpireActivations deletes at most max records of a namespace that started
	// before the time, the oldest first, and returns how many.
	ExpireActivations(ctx context.Context, ns whisk.Namespace, before time.Time, max int) (int, error)
	// RecordNamespaces lists the namespaces that have records, by name.
	RecordNamespaces(context.Context) ([]whisk.Namespace, error)

	// Commit carries out ops in their order in one durable transaction and
	// returns a result for each. An error means that none of them happened,
	// or that it is unknown; all may be given again.
	Commit(context.Context, []Op) ([]Result, error)
	// QueueRows lists rows in any state with a Seq above after, ascending.
	// Where payloads are large it returns fewer than limit, but one at least
	// if there is one: only none says that there are no more.
	QueueRows(ctx context.Context, after int64, limit int) ([]QueueRow, error)
	// QueueRow returns the row of an id or ErrNotFound.
	QueueRow(context.Context, whisk.Namespace, whisk.ActivationID) (QueueRow, error)
	// Claim gives a holder queued rows that are due and free, or whose lease is
	// over, and returns them: of the namespaces in turn, each one's oldest first.
	Claim(context.Context, ClaimQuery) ([]QueueRow, error)
	// RenewClaims renews the leases of all queued rows of a holder.
	RenewClaims(ctx context.Context, holder int64) error
	// Overdue lists started rows whose time is over, the longest overdue first.
	// Where payloads are large it returns fewer than limit, as QueueRows does.
	Overdue(ctx context.Context, limit int) ([]QueueRow, error)

	// DeadLetters lists those of a namespace without their payloads, last ended
	// first, then by id.
	DeadLetters(context.Context, whisk.Namespace, DeadQuery) ([]DeadLetter, error)
	// DeadLetter returns one with its payload or ErrNotFound.
	DeadLetter(context.Context, whisk.Namespace, whisk.ActivationID) (DeadLetter, error)
	CountDeadLetters(context.Context, whisk.Namespace) (int, error)
	// DeleteDeadLetters deletes those of the ids, or with nil all of the
	// namespace, and returns how many there were.
	DeleteDeadLetters(ctx context.Context, ns whisk.Namespace, ids []whisk.ActivationID) (int, error)
	// ExpireDeadLetters deletes at most max that ended before the time, of any
	// namespace, and returns how many.
	ExpireDeadLetters(ctx context.Context, before time.Time, max int) (int, error)

	// Lead makes holder, which is not 0, the leader of that name for a time, by
	// the engine's clock, if there is none, its time is over, or it is the
	// holder itself. It returns the term, which grows with each new leader, or 0
	// if another leads.
	Lead(ctx context.Context, name string, holder int64, ttl time.Duration) (term int64, err error)
	// Resign ends a leadership, if it is the holder's.
	Resign(ctx context.Context, name string, holder int64) error

	// Alarm returns the alarm of a trigger or ErrNotFound.
	Alarm(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, error)
	// Alarms lists those that have not ended, the first that is due first,
	// without their bodies.
	Alarms(ctx context.Context, limit int) ([]whisk.Alarm, error)
	// PutAlarm writes an alarm with the revision that it comes with: with
	// ifRevision 0 a new one, else [whisk.ErrExists]; any other must be the
	// stored one's, else [whisk.ErrChanged].
	PutAlarm(ctx context.Context, a whisk.Alarm, ifRevision int64) error
	// DeleteAlarm deletes an alarm: ErrNotFound; ErrChanged if ifRevision is
	// neither 0 nor the stored one.
	DeleteAlarm(ctx context.Context, trigger whisk.EntityName, ifRevision int64) error

	// Rewrite replaces everything that is kept under a key outside of the
	// database, in one transaction. It is for a database that nobody else uses:
	// the change log has none of it.
	Rewrite(context.Context, Rewriter) error

	Close() error
}

// Rewriter says what becomes of what [Engine.Rewrite] comes by. Its functions
// are called in any order, within a transaction; an error of theirs ends it.
type Rewriter struct {
	Credential func(Credential) (Credential, error)       // of the same uuid
	Row        func(QueueRow) (payload []byte, _ error)   // rows without a payload are passed by
	Dead       func(DeadLetter) (payload []byte, _ error) // as Row
	Doc        func(Doc) (body []byte, _ error)
	Alarm      func(whisk.Alarm) (body []byte, _ error)
	Notes      map[string][]byte // to be put
}
