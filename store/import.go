package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
)

// ErrExport means that a file is no export, or a damaged one.
var ErrExport = errors.New("the export is damaged")

// Bounds of what is believed of an item's size before its checksum is seen.
const (
	maxItemHead = 64 << 20
	maxItemBody = 1 << 30
)

// Import fills an empty engine with what [Export] wrote. The export is read from
// its beginning, and twice: first to see that all of it is as it was written
// ([ErrExport]). Then all of it is there, or nothing.
func Import(ctx context.Context, r io.ReadSeeker, into Dumper) ([]ExportCount, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	if _, err := CheckExport(ctx, r); err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	i, err := newImporter(r)
	if err == nil {
		err = into.Load(ctx, i.next)
	}
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return exportCounts(i.items), nil
}

// CheckExport reads an export to its end: [ErrExport].
func CheckExport(ctx context.Context, r io.Reader) ([]ExportCount, error) {
	i, err := newImporter(r)
	for n := 0; err == nil; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		_, err = i.next()
	}
	if err != io.EOF { //nolint:errorlint // as next returns it
		return nil, err
	}
	return exportCounts(i.items), nil
}

type importer struct {
	r     *bufio.Reader
	at    int64
	sum   hash.Hash
	items map[string]int64
}

func newImporter(r io.Reader) (*importer, error) {
	i := &importer{r: bufio.NewReaderSize(r, 128<<10), sum: sha256.New(), items: map[string]int64{}}
	magic, err := i.read(int64(len(exportMagic)))
	if err != nil || string(magic) != exportMagic {
		return nil, fmt.Errorf("%w: it does not begin as one of this format does", ErrExport)
	}
	i.sum.Write(magic)
	return i, nil
}

// read returns so many bytes, and takes no more memory than there are.
func (i *importer) read(n int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(n, 64<<10)))
	got, err := io.CopyN(&b, i.r, n)
	i.at += got
	if err != nil {
		return nil, fmt.Errorf("%w: it ends at byte %d, amid an item", ErrExport, i.at)
	}
	return b.Bytes(), nil
}

// next returns the next item, or [io.EOF] at the end of a whole export.
func (i *importer) next() (Item, error) {
	began := i.at
	wrong := func(what string) (Item, error) {
		return Item{}, fmt.Errorf("%w: the item at byte %d %s", ErrExport, began, what)
	}
	h, err := i.read(itemHeader)
	if err != nil {
		return Item{}, err
	}
	headSize, bodySize := binary.LittleEndian.Uint32(h[1:]), binary.LittleEndian.Uint64(h[5:])
	if headSize > maxItemHead || bodySize > maxItemBody {
		return wrong("has an impossible size")
	}
	rest, err := i.read(int64(headSize) + int64(bodySize) + sumSize)
	if err != nil {
		return Item{}, err
	}
	content := rest[:len(rest)-sumSize]
	if binary.LittleEndian.Uint32(rest[len(content):]) != crc32.Update(crc32.Checksum(h, castagnoli), castagnoli, content) {
		return wrong("has a wrong checksum")
	}
	head, body := content[:headSize], content[headSize:len(content):len(content)]
	if h[0] == exportEnd {
		return Item{}, i.end(head)
	}
	i.sum.Write(h)
	i.sum.Write(rest)
	i.items[string(h[:1])]++
	it, err := decodeItem(h[0], head, body)
	if err != nil {
		return wrong("cannot be read: " + err.Error())
	}
	if c := it.Code; c != nil && sha256.Sum256(c.Text) != c.Digest {
		return wrong("is code of another digest")
	}
	return it, nil
}

// end returns [io.EOF] if all of the export was there.
func (i *importer) end(head []byte) error {
	var want exportEndHead
	if err := json.Unmarshal(head, &want); err != nil {
		return fmt.Errorf("%w: its end cannot be read: %w", ErrExport, err)
	}
	if want.SHA256 != hex.EncodeToString(i.sum.Sum(nil)) || !maps.Equal(want.Items, i.items) {
		return fmt.Errorf("%w: items are missing, or are not its own", ErrExport)
	}
	if _, err := i.r.ReadByte(); err != io.EOF { //nolint:errorlint // as it is returned
		return fmt.Errorf("%w: something follows its end", ErrExport)
	}
	return io.EOF
}
