package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"hearth/whisk"
)

// A stored record has two parts, so that lists need not read the second: a
// head of JSON with everything that is small, and a body with result and logs
// as they are, which are long, come in any bytes, and must not be re-encoded.
//
//	body = version, length, result, number of logs, (length, log)...
//
// Numbers are unsigned varints. A record with neither has no body.

const bodyVersion = 1

var errBody = errors.New("the body of a record is damaged")

// version stands for whisk.Version, of which the zero value has no text.
type version [3]uint32

func newVersion(v whisk.Version) version { return version{v.Major, v.Minor, v.Patch} }

func (v version) whisk() whisk.Version { return whisk.Version{Major: v[0], Minor: v[1], Patch: v[2]} }

type recordHead struct {
	whisk.Activation
	Version version `json:"version"` // shadows the record's
}

// headSize is about what a head takes whose names are not long.
const headSize = 512

// EncodeActivation returns the stored form of a record for engines. body is
// nil if there is neither a result nor a log.
func EncodeActivation(a *whisk.Activation) (head, body []byte) {
	return appendHead(make([]byte, 0, headSize), a), encodeBody(a.Response.Result, a.Logs)
}

// DecodeActivation reads what EncodeActivation made. Without a body the record
// lacks result and logs. It keeps parts of body.
func DecodeActivation(head, body []byte) (*whisk.Activation, error) {
	var h recordHead
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, fmt.Errorf("decode the head of a record: %w", err)
	}
	a := h.Activation
	a.Version = h.Version.whisk()
	var err error
	if a.Response.Result, a.Logs, err = decodeBody(body); err != nil {
		return nil, fmt.Errorf("activation %s: %w", a.ID, err)
	}
	return &a, nil
}

func encodeBody(result []byte, logs []string) []byte {
	if len(result) == 0 && len(logs) == 0 {
		return nil
	}
	n := 1 + (2+len(logs))*binary.MaxVarintLen32 + len(result)
	for _, l := range logs {
		n += len(l)
	}
	b := append(make([]byte, 0, n), bodyVersion)
	b = binary.AppendUvarint(b, uint64(len(result)))
	b = append(b, result...)
	b = binary.AppendUvarint(b, uint64(len(logs)))
	for _, l := range logs {
		b = binary.AppendUvarint(b, uint64(len(l)))
		b = append(b, l...)
	}
	return b
}

func decodeBody(b []byte) (json.RawMessage, []string, error) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	if b[0] != bodyVersion {
		return nil, nil, fmt.Errorf("%w: version %d", errBody, b[0])
	}
	size, b, ok := cutUvarint(b[1:])
	if !ok || size > uint64(len(b)) {
		return nil, nil, errBody
	}
	var result json.RawMessage
	if size > 0 {
		result = b[:size:size]
	}
	count, b, ok := cutUvarint(b[size:])
	if !ok || count > uint64(len(b)) { // each log takes a byte or more
		return nil, nil, errBody
	}
	if count == 0 && len(b) == 0 {
		return result, nil, nil
	}
	logs := make([]string, 0, count)
	text := string(b) // one copy; the logs are parts of it
	for range count {
		size, rest, ok := cutUvarint(b)
		if !ok || size > uint64(len(rest)) {
			return nil, nil, errBody
		}
		at := len(text) - len(rest)
		logs = append(logs, text[at:at+int(size)])
		b = rest[size:]
	}
	if len(b) > 0 {
		return nil, nil, errBody
	}
	return result, logs, nil
}

func cutUvarint(b []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

// actionBody is an action as stored. Parameters and annotations stand as plain
// lists, since the API's own encoding of them escapes HTML in users' values.
type actionBody struct {
	Version     version           `json:"version"`
	Exec        whisk.Exec        `json:"exec"`
	Parameters  []whisk.Parameter `json:"parameters,omitempty"`
	Annotations []whisk.Parameter `json:"annotations,omitempty"`
	Limits      whisk.Limits      `json:"limits"`
	Publish     bool              `json:"publish,omitempty"`
}

func encodeAction(a *whisk.Action) (Doc, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(actionBody{newVersion(a.Version), a.Exec, a.Parameters, a.Annotations, a.Limits, a.Publish})
	if err != nil {
		return Doc{}, fmt.Errorf("encode action %s: %w", a.Name, err)
	}
	return Doc{
		Key: Key(a.Name), Collection: Actions, Revision: a.Revision, Updated: a.Updated,
		Code: a.Exec.Code, Body: b.Bytes(),
	}, nil
}

func decodeAction(d Doc) (*whisk.Action, error) {
	if d.Collection != Actions {
		return nil, whisk.ErrCollection
	}
	var b actionBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, fmt.Errorf("decode action %s: %w", d.Key, err)
	}
	return &whisk.Action{
		Name: whisk.ActionName(d.Key), Version: b.Version.whisk(), Exec: b.Exec,
		Parameters: b.Parameters, Annotations: b.Annotations,
		Limits: b.Limits, Publish: b.Publish, Updated: d.Updated, Revision: d.Revision,
	}, nil
}
