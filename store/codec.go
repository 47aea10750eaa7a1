package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"hearth/whisk"
)

// A stored record has two parts, so that lists need not read the second: a
// head of JSON with everything that is small, and a body with result and logs
// as they are, which are long, come in any bytes, and must not be re-encoded.
//
//	head = version, JSON, checksum
//	body = version, length, result, number of logs, (length, log)..., checksum
//
// Numbers are unsigned varints, but for the checksums, which are CRC-32C of what
// is before them, and for the body of the record's id before that. A record with
// neither result nor logs has no body. Before there were checksums a head was
// its JSON alone.

const (
	headAlone    = 1 // of a record without a body
	headWithBody = 2
	bodyVersion  = 2

	plainHead = '{'
	plainBody = 1 // a body without a checksum
)

var (
	errHead = fmt.Errorf("the head of a record: %w", whisk.ErrCorrupted)
	errBody = fmt.Errorf("the body of a record: %w", whisk.ErrCorrupted)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumSize is the size of a checksum.
const sumSize = 4

func appendSum(b []byte, seed uint32) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Update(seed, castagnoli, b))
}

// cutSum returns b without its checksum, false if that is wrong.
func cutSum(b []byte, seed uint32) ([]byte, bool) {
	at := len(b) - sumSize
	if at < 0 || binary.LittleEndian.Uint32(b[at:]) != crc32.Update(seed, castagnoli, b[:at]) {
		return nil, false
	}
	return b[:at:at], true
}

func idSum(id whisk.ActivationID) uint32 { return crc32.Checksum(id[:], castagnoli) }

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
	body = encodeBody(a.ID, a.Response.Result, a.Logs)
	version := byte(headAlone)
	if body != nil {
		version = headWithBody
	}
	head = appendHead(append(make([]byte, 0, headSize), version), a)
	return appendSum(head, 0), body
}

// HasBody reports whether a body belongs to a head that EncodeActivation made.
// Of one from before there were checksums it says no.
func HasBody(head []byte) bool { return len(head) > 0 && head[0] == headWithBody }

// DecodeActivation reads what EncodeActivation made. Without a body the record
// lacks result and logs. It keeps parts of body. [whisk.ErrCorrupted] says that
// it is not what EncodeActivation made.
func DecodeActivation(head, body []byte) (*whisk.Activation, error) {
	if len(head) == 0 || head[0] != plainHead {
		text, ok := cutSum(head, 0)
		if !ok || len(text) == 0 || text[0] != headAlone && text[0] != headWithBody {
			return nil, errHead
		}
		head = text[1:]
	}
	var h recordHead
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, fmt.Errorf("%w: %w", errHead, err)
	}
	a := h.Activation
	a.Version = h.Version.whisk()
	var err error
	if a.Response.Result, a.Logs, err = decodeBody(a.ID, body); err != nil {
		return nil, fmt.Errorf("activation %s: %w", a.ID, err)
	}
	return &a, nil
}

func encodeBody(id whisk.ActivationID, result []byte, logs []string) []byte {
	if len(result) == 0 && len(logs) == 0 {
		return nil
	}
	n := 1 + (2+len(logs))*binary.MaxVarintLen32 + len(result) + sumSize
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
	return appendSum(b, idSum(id))
}

func decodeBody(id whisk.ActivationID, b []byte) (json.RawMessage, []string, error) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	if b[0] != plainBody {
		text, ok := cutSum(b, idSum(id))
		if !ok || len(text) == 0 || text[0] != bodyVersion {
			return nil, nil, errBody
		}
		b = text
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
