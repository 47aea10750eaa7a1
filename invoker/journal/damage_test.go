package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"hearth/whisk"
)

// A file cut at any place keeps every record that was whole before it.
func TestTornAtEveryOffset(t *testing.T) {
	file, ends := sample(t)
	dir := t.TempDir()
	for cut := range len(file) + 1 {
		whole := 0
		for whole < len(ends) && ends[whole] <= cut {
			whole++
		}
		j := reopen(t, dir, file[:cut])
		if got := len(unacked(t, j)); got != whole {
			t.Fatalf("cut at %d: %d records, want %d", cut, got, whole)
		}
		if j.Damaged() != 0 {
			t.Fatalf("cut at %d: %d damaged, want 0", cut, j.Damaged())
		}
		j.closeFiles()
		if names := segments(t, dir); whole == 0 && len(names) != 0 {
			t.Fatalf("cut at %d: an empty segment is left", cut)
		} else if whole > 0 {
			if fi, err := os.Stat(names[0]); err != nil || fi.Size() != int64(ends[whole-1]) {
				t.Fatalf("cut at %d: the torn end is still there (%v, %v)", cut, fi, err)
			}
		}
	}
}

// A flipped byte at any place loses the one record it is in, and no other.
func TestFlippedAtEveryOffset(t *testing.T) {
	file, ends := sample(t)
	dir := t.TempDir()
	for off := range file {
		hit := 0
		for ends[hit] <= off {
			hit++
		}
		b := bytes.Clone(file)
		b[off] ^= 0x41
		j := reopen(t, dir, b)
		want := []int{}
		for i := range ends {
			if i != hit {
				want = append(want, i)
			}
		}
		if got := unacked(t, j); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("flipped at %d: %v, want %v", off, got, want)
		}
		if d := j.Damaged(); hit < len(ends)-1 && d != 1 {
			t.Fatalf("flipped at %d: %d damaged, want 1", off, d)
		}
		j.closeFiles()
	}
}

// sample returns a segment of four records, and where each of them ends.
func sample(t *testing.T) (file []byte, ends []int) {
	for i := range 4 {
		f, err := encode(nil, testRecord(i))
		if err != nil {
			t.Fatal(err)
		}
		file = appendFrame(file, f)
		ends = append(ends, len(file))
	}
	return file, ends
}

// reopen opens the journal in dir with the one given segment. It is not to be
// closed but by closeFiles, which spares the sync.
func reopen(t *testing.T, dir string, file []byte) *Journal {
	t.Helper()
	for _, name := range segments(t, dir) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016x%s", 7, suffix)), file, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := Open(testConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Damage that comes while the journal is open is found when the record is read.
func TestDamageWhileOpen(t *testing.T) {
	cfg := testConfig(t.TempDir())
	j := open(t, cfg)
	appendAll(t, j, 0, 3)
	f, err := os.OpenFile(segments(t, cfg.Dir)[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("X"), headerSize+20); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Record(testRecord(0).ID); err == nil {
		t.Error("a damaged record was served")
	}
	if got := fmt.Sprint(unacked(t, j)); got != "[1 2]" || j.Damaged() != 1 {
		t.Errorf("unacked = %s, damaged = %d", got, j.Damaged())
	}
}

func FuzzScan(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		var b []byte
		for i := range n {
			fr, _ := encode(nil, testRecord(i))
			b = appendFrame(b, fr)
		}
		f.Add(b)
		f.Add(append(b, appendFrame(nil, encodeAcks([]whisk.ActivationID{{1}, {2}}))...))
		f.Add(append([]byte("junk\x00HJ\x01"), b...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		last := 0
		end, damaged := scan(b, func(off int, fr frame) {
			if off < last {
				t.Fatalf("a frame at %d begins before %d", off, last)
			}
			last = off + fr.size()
			if got := appendFrame(nil, fr); !bytes.Equal(got, b[off:last]) {
				t.Fatalf("frame at %d does not encode as it was", off)
			}
			if rec, err := decode(fr); err == nil && rec.ID != fr.id {
				t.Fatalf("record %s in a frame of %s", rec.ID, fr.id)
			}
			decodeAcks(fr, func(whisk.ActivationID) {})
		})
		if end != last || damaged > len(b) {
			t.Fatalf("end = %d, want %d; damaged = %d", end, last, damaged)
		}
	})
}
