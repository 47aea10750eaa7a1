package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	"hearth/whisk"
)

// fakeDump holds items, of which those that are nil are damaged.
type fakeDump struct {
	items []*Item
	fail  error // of Load, behind its items
}

func (f *fakeDump) Dump(_ context.Context, s Sink) error {
	i := 0
	return s.Each(func() (Item, bool, error) {
		if i++; i > len(f.items) {
			return Item{}, false, nil
		}
		if f.items[i-1] == nil {
			return Item{}, true, fmt.Errorf("item %d: %w", i, whisk.ErrCorrupted)
		}
		return *f.items[i-1], true, nil
	})
}

func (f *fakeDump) Load(_ context.Context, next func() (Item, error)) error {
	for {
		it, err := next()
		if err == io.EOF { //nolint:errorlint // as it is returned
			return f.fail
		}
		if err != nil {
			return err
		}
		f.items = append(f.items, &it)
	}
}

func exportItems() []*Item {
	text := []byte("the code")
	a := someRecord()
	a.Response.Result, a.Logs = []byte("{}"), []string{"log"}
	per := int64(3)
	return []*Item{
		{Changes: 9}, {Note: &NoteItem{"n", []byte{0xff}}}, {Term: &TermItem{"t", 4}},
		{Limits: &LimitsItem{"ns", whisk.NamespaceLimits{FiresPerMinute: &per}}},
		{Credential: &Credential{UUID: "u", Subject: "s", Namespace: "ns", MAC: []byte{1}, Sealed: []byte{2}, Blocked: true}},
		{Code: &CodeItem{sha256.Sum256(text), text}},
		{Doc: &Doc{Key{"ns", "p", "a"}, Actions, 8, 77, whisk.Digest{4}, true, []byte(`{"x":"<&>"}`)}},
		{Alarm: &whisk.Alarm{Trigger: whisk.EntityName{Namespace: "ns", Name: "t"}, Revision: -5, Body: []byte("sealed"),
			AlarmState: whisk.AlarmState{Tick: 1, Due: 2, Fired: 3, Changed: 4, Status: 5, Reason: "over"}}},
		{Row: &QueueRow{ID: whisk.ActivationID{1}, Namespace: "ns", State: RowStarted, Token: 3, Until: 4, Created: 5, Attempt: 6, Due: 7, Payload: []byte("call")}},
		{Dead: &DeadLetter{ID: whisk.ActivationID{2}, Namespace: "ns", Name: "a", Created: 1, Ended: 2, Attempts: 3, Reason: "why", Payload: []byte("call")}},
		{Record: a},
	}
}

func exported(t *testing.T, items []*Item) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Export(t.Context(), &b, &fakeDump{items: items}, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExport(t *testing.T) {
	items := exportItems()
	file := exported(t, items)
	counts, err := CheckExport(t.Context(), bytes.NewReader(file))
	if err != nil || len(counts) != 8 || counts[0] != (ExportCount{"entities", 1}) || counts[7] != (ExportCount{"records", 1}) {
		t.Errorf("check: %v, %v", counts, err)
	}
	var into fakeDump
	if _, err := Import(t.Context(), bytes.NewReader(file), &into); err != nil || len(into.items) != len(items) {
		t.Fatalf("import: %d items, %v", len(into.items), err)
	}
	for i, want := range items {
		if !reflect.DeepEqual(into.items[i], want) {
			t.Errorf("item %d: %+v, want %+v", i, into.items[i], want)
		}
	}
	boom := errors.New("boom")
	if _, err := Import(t.Context(), bytes.NewReader(file), &fakeDump{fail: boom}); !errors.Is(err, boom) {
		t.Errorf("import into what fails: %v", err)
	}
}

// TestDamagedExport changes each byte of an export, cuts it at each, and adds
// to it: it is refused, and nothing loaded.
func TestDamagedExport(t *testing.T) {
	items := exportItems()
	file := exported(t, items)
	refused := func(what string, b []byte) {
		t.Helper()
		into := fakeDump{}
		if _, err := Import(t.Context(), bytes.NewReader(b), &into); !errors.Is(err, ErrExport) || len(into.items) != 0 {
			t.Errorf("%s: %v, %d items loaded; want it refused", what, err, len(into.items))
		}
	}
	for i := range file {
		for _, flip := range []byte{1, 0x80, 0xff} {
			file[i] ^= flip
			refused(fmt.Sprintf("byte %d of %d changed by %#x", i, len(file), flip), file)
			file[i] ^= flip
		}
		refused(fmt.Sprintf("cut at byte %d of %d", i, len(file)), file[:i])
	}
	refused("a byte too many", append(bytes.Clone(file), 0))
	refused("twice", append(bytes.Clone(file), file...))
	fewer := exported(t, items[:4])
	end := len(fewer) - len(exportEndOf(t, fewer))
	refused("an item less", append(bytes.Clone(fewer[:end]), exportEndOf(t, file)...))
	refused("an item of another kind", oddExport(t, '?', "{}"))
	refused("an item that cannot be read", oddExport(t, exportDoc, "no JSON"))
	refused("code of another digest", oddExport(t, exportCode, `{"digest":"`+whisk.Digest{1}.String()+`"}`))
}

// exportEndOf returns the last item of an export.
func exportEndOf(t *testing.T, file []byte) []byte {
	t.Helper()
	at := bytes.LastIndex(file, []byte(`{"items":`)) - itemHeader
	if at < 0 || file[at] != exportEnd {
		t.Fatalf("no end at byte %d", at)
	}
	return file[at:]
}

// oddExport returns an export of one item, whose letter and head are given.
func oddExport(t *testing.T, kind byte, head string) []byte {
	t.Helper()
	var b bytes.Buffer
	e := &exporter{w: bufio.NewWriter(&b), sum: sha256.New(), items: map[string]int64{string(kind): 1}}
	e.write([]byte(exportMagic))
	if err := errors.Join(e.frame(kind, []byte(head), nil), e.end()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestExportOfDamage(t *testing.T) {
	items := exportItems()
	items[6] = nil
	var b bytes.Buffer
	if _, err := Export(t.Context(), &b, &fakeDump{items: items}, nil); !errors.Is(err, whisk.ErrCorrupted) {
		t.Errorf("export of what is damaged: %v", err)
	}
	b.Reset()
	var told []error
	counts, err := Export(t.Context(), &b, &fakeDump{items: items}, func(err error) error {
		told = append(told, err)
		return nil
	})
	if err != nil || len(told) != 1 || counts[0].Items != 0 {
		t.Errorf("export without what is damaged: %v, %v, told %v", counts, err, told)
	}
	if _, err := CheckExport(t.Context(), &b); err != nil {
		t.Errorf("check: %v", err)
	}
	if _, err := Export(t.Context(), &shortWriter{100}, &fakeDump{items: exportItems()}, nil); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("export to a disk that is full: %v", err)
	}
}

// shortWriter takes so many bytes.
type shortWriter struct{ left int }

func (w *shortWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return w.left, io.ErrShortWrite
	}
	w.left -= len(b)
	return len(b), nil
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(exportMagic))
	f.Add([]byte(exportMagic + "D\xff\xff\xff\x00\xff\xff\xff\xff\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Import(t.Context(), bytes.NewReader(b), &fakeDump{}); err != nil && !errors.Is(err, ErrExport) {
			t.Errorf("import: %v", err)
		}
	})
}
