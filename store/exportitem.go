package store

import (
	"encoding/json"
	"fmt"

	"hearth/whisk"
)

// Each item of an export has a letter, a head of JSON, and a body of bytes.
const (
	exportDoc        = 'D'
	exportCredential = 'C'
	exportLimits     = 'L'
	exportNote       = 'N'
	exportCode       = 'B'
	exportRecord     = 'R'
	exportRow        = 'Q'
	exportDead       = 'X'
	exportAlarm      = 'A'
	exportTerm       = 'T'
	exportChanges    = 'S'
	exportEnd        = 'Z'
)

// exportNames are what a person calls them.
var exportNames = map[byte]string{
	exportDoc: "entities", exportCredential: "credentials", exportLimits: "limits of namespaces", exportNote: "notes", exportCode: "code blobs",
	exportRecord: "records", exportRow: "queued calls", exportDead: "dead letters", exportAlarm: "alarms", exportTerm: "terms", exportChanges: "positions",
}

// The heads. Their fields are part of the format: none changes its meaning.
type (
	docHead struct {
		Namespace  whisk.Namespace `json:"namespace"`
		Package    string          `json:"package,omitempty"`
		Name       string          `json:"name"`
		Collection Collection      `json:"collection"`
		Revision   int64           `json:"revision"`
		Updated    int64           `json:"updated"`
		Code       whisk.Digest    `json:"code,omitzero"`
		Public     bool            `json:"public,omitempty"`
	}
	credentialHead struct {
		UUID      string          `json:"uuid"`
		Subject   string          `json:"subject"`
		Namespace whisk.Namespace `json:"namespace"`
		MAC       []byte          `json:"mac,omitempty"`
		Sealed    []byte          `json:"sealed,omitempty"`
		Blocked   bool            `json:"blocked,omitempty"`
	}
	limitsHead struct {
		Namespace whisk.Namespace       `json:"namespace"`
		Limits    whisk.NamespaceLimits `json:"limits"`
	}
	nameHead struct {
		Name string `json:"name"`
		Term int64  `json:"term,omitempty"`
	}
	codeHead struct {
		Digest whisk.Digest `json:"digest"`
	}
	rowHead struct {
		ID        whisk.ActivationID `json:"id"`
		Namespace whisk.Namespace    `json:"namespace"`
		Started   bool               `json:"started,omitempty"`
		Token     int64              `json:"token,omitempty"`
		Until     int64              `json:"until,omitempty"`
		Created   int64              `json:"created"`
		Attempt   int                `json:"attempt,omitempty"`
		Due       int64              `json:"due,omitempty"`
		Code      whisk.Digest       `json:"code,omitzero"`
	}
	deadHead struct {
		ID        whisk.ActivationID `json:"id"`
		Namespace whisk.Namespace    `json:"namespace"`
		Name      string             `json:"name"`
		Created   int64              `json:"created"`
		Ended     int64              `json:"ended"`
		Attempts  int                `json:"attempts"`
		Reason    string             `json:"reason"`
		Code      whisk.Digest       `json:"code,omitzero"`
	}
	alarmHead struct {
		Namespace whisk.Namespace `json:"namespace"`
		Name      string          `json:"name"`
		Revision  int64           `json:"revision"`
		Tick      int64           `json:"tick"`
		Due       int64           `json:"due,omitempty"`
		Fired     int64           `json:"fired,omitempty"`
		Changed   int64           `json:"changed"`
		Status    int             `json:"status,omitempty"`
		Reason    string          `json:"reason,omitempty"`
	}
	changesHead struct {
		Last int64 `json:"last"`
	}
)

// encodeItem returns the letter, head and body of an item.
func encodeItem(it Item) (kind byte, head, body []byte, err error) {
	var v any
	switch {
	case it.Doc != nil:
		d := it.Doc
		kind, body = exportDoc, d.Body
		v = docHead{d.Namespace, d.Package, d.Name, d.Collection, d.Revision, d.Updated, d.Code, d.Public}
	case it.Credential != nil:
		kind, v = exportCredential, credentialHead(*it.Credential)
	case it.Limits != nil:
		kind, v = exportLimits, limitsHead(*it.Limits)
	case it.Note != nil:
		kind, v, body = exportNote, nameHead{Name: it.Note.Name}, it.Note.Value
	case it.Code != nil:
		kind, v, body = exportCode, codeHead{it.Code.Digest}, it.Code.Text
	case it.Record != nil:
		a := it.Record
		return exportRecord, appendHead(make([]byte, 0, headSize), a), encodeBody(a.ID, a.Response.Result, a.Logs), nil
	case it.Row != nil:
		r := it.Row
		kind, body = exportRow, r.Payload
		v = rowHead{r.ID, r.Namespace, r.State == RowStarted, r.Token, r.Until, r.Created, r.Attempt, r.Due, r.Code}
	case it.Dead != nil:
		l := it.Dead
		kind, body = exportDead, l.Payload
		v = deadHead{l.ID, l.Namespace, l.Name, l.Created, l.Ended, l.Attempts, l.Reason, l.Code}
	case it.Alarm != nil:
		a := it.Alarm
		kind, body = exportAlarm, a.Body
		v = alarmHead{a.Trigger.Namespace, a.Trigger.Name, a.Revision, a.Tick, a.Due, a.Fired, a.Changed, a.Status, a.Reason}
	case it.Term != nil:
		kind, v = exportTerm, nameHead{it.Term.Name, it.Term.Term}
	default:
		kind, v = exportChanges, changesHead{it.Changes}
	}
	head, err = json.Marshal(v)
	return kind, head, body, err
}

// decodeItem reads what encodeItem made. It keeps parts of body.
func decodeItem(kind byte, head, body []byte) (it Item, err error) {
	read := func(v any) { err = json.Unmarshal(head, v) }
	switch kind {
	case exportDoc:
		var h docHead
		read(&h)
		it.Doc = &Doc{Key{h.Namespace, h.Package, h.Name}, h.Collection, h.Revision, h.Updated, h.Code, h.Public, body}
	case exportCredential:
		var h credentialHead
		read(&h)
		it.Credential = (*Credential)(&h)
	case exportLimits:
		var h limitsHead
		read(&h)
		it.Limits = (*LimitsItem)(&h)
	case exportNote:
		var h nameHead
		read(&h)
		it.Note = &NoteItem{h.Name, body}
	case exportCode:
		var h codeHead
		read(&h)
		it.Code = &CodeItem{h.Digest, body}
	case exportRecord:
		it.Record, err = DecodeActivation(head, body)
	case exportRow:
		var h rowHead
		read(&h)
		it.Row = &QueueRow{
			ID: h.ID, Namespace: h.Namespace, Token: h.Token, Until: h.Until, Created: h.Created,
			Attempt: h.Attempt, Due: h.Due, Code: h.Code, Payload: body,
		}
		if h.Started {
			it.Row.State = RowStarted
		}
	case exportDead:
		var h deadHead
		read(&h)
		it.Dead = &DeadLetter{
			ID: h.ID, Namespace: h.Namespace, Name: h.Name, Created: h.Created, Ended: h.Ended,
			Attempts: h.Attempts, Reason: h.Reason, Code: h.Code, Payload: body,
		}
	case exportAlarm:
		var h alarmHead
		read(&h)
		it.Alarm = &whisk.Alarm{
			Trigger: whisk.EntityName{Namespace: h.Namespace, Name: h.Name}, Revision: h.Revision, Body: body,
			AlarmState: whisk.AlarmState{Tick: h.Tick, Due: h.Due, Fired: h.Fired, Changed: h.Changed, Status: h.Status, Reason: h.Reason},
		}
	case exportTerm:
		var h nameHead
		read(&h)
		it.Term = &TermItem{h.Name, h.Term}
	case exportChanges:
		var h changesHead
		read(&h)
		it.Changes = h.Last
	default:
		return it, fmt.Errorf("an item of unknown kind %q: a newer Hearth may know it", kind)
	}
	return it, err
}
