package store

import (
	"errors"
	"strings"

	"hearth/whisk"
)

// WriteKind says what a [Write] does.
type WriteKind uint8

// The kinds of writes.
const (
	WritePut    WriteKind = iota + 1 // as [Engine.PutDoc]
	WriteDelete                      // as [Engine.DeleteDoc]; of Doc only the key counts

	// WriteNeed changes nothing: the document must be there, else
	// [whisk.ErrNotFound], and have IfRevision unless that is 0, else
	// [whisk.ErrChanged].
	WriteNeed
	// WriteEmpty changes nothing: no document may be in the package that Doc's
	// key names, else [whisk.ErrChanged].
	WriteEmpty
)

// Write is one step of [Engine.WriteDocs].
type Write struct {
	Kind       WriteKind
	Doc        Doc
	IfRevision int64
}

// Kinds of changes other than the collections.
const (
	KindCredentials = "credentials"
	KindLimits      = "limits"
)

// Change is an entry of the change log: something was written or deleted.
type Change struct {
	Seq  int64  // grows; a document's revision is that of its last write
	Kind string // a [Collection], [KindCredentials] or [KindLimits]
	Key  string // "ns/[pkg/]name", a uuid, or a namespace
}

// DocKey returns the key of a changed document, false if it is no document's.
func (c Change) DocKey() (Key, bool) {
	switch c.Kind {
	case KindCredentials, KindLimits:
		return Key{}, false
	case string(APIs):
		ns, _, _ := strings.Cut(c.Key, "/")
		return apisKey(whisk.Namespace(ns)), true
	}
	n, err := whisk.ParseActionName(c.Key, "")
	return Key(n), err == nil
}

// ErrChangesLost says that the change log no longer reaches back to where a
// reader was, or never did.
var ErrChangesLost = errors.New("the change log does not reach back that far")
