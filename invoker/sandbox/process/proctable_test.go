package process

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		in   string
		want procInfo
		ok   bool
	}{
		{"7 (node) S 5 7 6 0 -1", procInfo{7, 5, 6, false}, true},
		{"7 (a) R 1 (b) ) Z 5 7 6 0", procInfo{7, 5, 6, true}, true},
		{"7 (node) S 5", procInfo{}, false},
		{"7 node S 5 7 6", procInfo{}, false},
		{"", procInfo{}, false},
	}
	for _, tt := range tests {
		got, ok := parseStat(7, []byte(tt.in))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: got %+v, %v", tt.in, got, ok)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("7 (a) R 1 (b) ) Z 5 7 6 0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := parseStat(7, b); ok && p.pid != 7 {
			t.Errorf("got %+v", p)
		}
	})
}

func TestFamily(t *testing.T) {
	procs := []procInfo{
		{1, 0, 1, false}, {20, 1, 1, false},
		{10, 20, 10, false},                     // the leader
		{12, 11, 12, false},                     // a grandchild in a session of its own
		{11, 10, 10, false}, {13, 1, 10, false}, // an orphan
		{14, 10, 10, true}, {15, 12, 12, false}, {16, 1, 16, false},
	}
	got := family(procs, 10)
	slices.Sort(got)
	if want := []int{10, 11, 12, 13, 15}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOwnProcess(t *testing.T) {
	p, ok := readStat(os.Getpid())
	if !ok || p.parent != os.Getppid() {
		t.Errorf("got %+v, %v", p, ok)
	}
	if !slices.Contains(ownedBy(os.Getuid(), os.Getuid()), os.Getpid()) {
		t.Error("ownedBy does not find this process")
	}
	if ownMemory(os.Getpid()) < 1<<20 || shareOfMemory(os.Getpid()) < 1<<20 {
		t.Errorf("memory %d, share %d", ownMemory(os.Getpid()), shareOfMemory(os.Getpid()))
	}
	if overLimit([]int{os.Getpid()}, 1<<40) || !overLimit([]int{os.Getpid()}, 1<<20) {
		t.Error("overLimit is wrong about this process")
	}
}

func TestUIDBase(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
		bad        bool
	}{
		{"all", "0 0 4294967295\n", uidBases[0], false},
		{"container", "0 100000 65536\n", uidBases[1], false},
		{"second line", "0 1000 1\n1 100000 65535\n", uidBases[1], false},
		{"few", "0 1000 1\n", 0, true},
		{"none", "", 0, true},
	}
	for _, tt := range tests {
		file := filepath.Join(t.TempDir(), "uid_map")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := uidBase(file)
		if got != tt.want || (err != nil) != tt.bad {
			t.Errorf("%s: got %d, %v", tt.name, got, err)
		}
	}
	if got, err := uidBase("/nonexistent"); got != uidBases[0] || err != nil {
		t.Errorf("no map: got %d, %v", got, err)
	}
}

func TestUIDBlocks(t *testing.T) {
	dir := t.TempDir()
	var blocks []*uidBlock
	for range uidBlocks {
		u, err := claimUIDs(dir)
		if err != nil {
			t.Skipf("no user ids to claim here: %v", err)
		}
		defer u.close()
		for _, other := range blocks {
			if other.first == u.first {
				t.Errorf("two drivers have the block %d", u.first)
			}
		}
		blocks = append(blocks, u)
	}
	if _, err := claimUIDs(dir); err == nil {
		t.Error("one more block than there are")
	}
	_ = blocks[3].close()
	if u, err := claimUIDs(dir); err != nil || u.first != blocks[3].first {
		t.Errorf("the freed block was not claimed: %v", err)
	}
	u := blocks[0]
	seen := map[int]bool{}
	for range uidBlockSize {
		id, err := u.take()
		if err != nil || seen[id] || id == 0 {
			t.Fatalf("took %d again: %v", id, err)
		}
		seen[id] = true
	}
	if _, err := u.take(); err == nil {
		t.Error("one more id than there are")
	}
	u.give(u.first + 5)
	if id, err := u.take(); err != nil || id != u.first+5 {
		t.Errorf("took %d, %v", id, err)
	}
}
