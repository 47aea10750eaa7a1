package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// An export is a store in one file, for whatever engine. All numbers in it are
// little endian.
//
//	export = "hearth export 1\n", item..., end
//	item   = letter (1 byte), size of the head (4), size of the body (8), head, body, checksum (4)
//
// The checksum is CRC-32C of all of the item before it. Heads are JSON, bodies
// bytes; what they are for each letter is in [encodeItem]. The last item has the
// letter Z and the head
//
//	{"items": {letter: number...}, "sha256": of all bytes before it}
//
// and nothing follows it. Keys, and what waits in the queue, are in it as they
// are in the store: sealed under the master key, which is not.

const exportMagic = "hearth export 1\n"

// itemHeader is the size of an item before its head.
const itemHeader = 13

// exportEndHead is the head of the last item.
type exportEndHead struct {
	Items  map[string]int64 `json:"items"`
	SHA256 string           `json:"sha256"`
}

// ExportCount is how many there are of something in an export.
type ExportCount struct {
	Of    string // such as "records"
	Items int64
}

// exportCounts lists them in the order of the letters.
func exportCounts(items map[string]int64) []ExportCount {
	var out []ExportCount
	for _, kind := range []byte{
		exportDoc, exportCode, exportCredential, exportLimits, exportAlarm, exportRow, exportDead, exportRecord,
	} {
		out = append(out, ExportCount{exportNames[kind], items[string(kind)]})
	}
	return out
}

// Export writes all that an engine holds to w. Things that are damaged are left
// out and damaged told of them; if that is nil, they are an error.
func Export(ctx context.Context, w io.Writer, from Dumper, damaged func(error) error) ([]ExportCount, error) {
	e := &exporter{w: bufio.NewWriterSize(w, 128<<10), sum: sha256.New(), items: map[string]int64{}}
	e.write([]byte(exportMagic))
	err := from.Dump(ctx, Sink{Item: e.item, Damaged: damaged})
	if err == nil {
		err = e.end()
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return exportCounts(e.items), nil
}

type exporter struct {
	w     *bufio.Writer
	sum   hash.Hash
	items map[string]int64
	err   error // of a write
}

func (e *exporter) write(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
	e.sum.Write(b) // never fails
}

func (e *exporter) item(it Item) error {
	kind, head, body, err := encodeItem(it)
	if err != nil {
		return err
	}
	e.items[string(kind)]++
	return e.frame(kind, head, body)
}

func (e *exporter) frame(kind byte, head, body []byte) error {
	var h [itemHeader]byte
	h[0] = kind
	binary.LittleEndian.PutUint32(h[1:], uint32(len(head)))
	binary.LittleEndian.PutUint64(h[5:], uint64(len(body)))
	sum := uint32(0)
	for _, part := range [][]byte{h[:], head, body} {
		sum = crc32.Update(sum, castagnoli, part)
		e.write(part)
	}
	e.write(binary.LittleEndian.AppendUint32(nil, sum))
	return e.err
}

func (e *exporter) end() error {
	head, err := json.Marshal(exportEndHead{e.items, hex.EncodeToString(e.sum.Sum(nil))})
	if err != nil {
		return err
	}
	if err := e.frame(exportEnd, head, nil); err != nil {
		return err
	}
	return e.w.Flush()
}
