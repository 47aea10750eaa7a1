package store

import (
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
	Version version `json:"version"` // shadows the record's, as the others do
	// These end with the commit.
	Again *struct{} `json:"again,omitempty"`
	Dead  *struct{} `json:"dead,omitempty"`
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
