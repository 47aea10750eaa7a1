package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A driver that runs as root takes one block of user ids, none of which any
// real user has, and gives each sandbox one of them.
const (
	uidBlocks    = 16
	uidBlockSize = 1024
)

// uidBases are where the blocks may begin: far above what systems assign, or,
// in a container that maps few ids, below what users of its image have.
var uidBases = []int{0x68000000, 30000}

// uidBlock is a claimed block of user ids. It is this process's as long as the
// lock file is open.
type uidBlock struct {
	lock  *os.File
	first int

	mu   sync.Mutex
	next int // handed out round robin: what a past sandbox left in /tmp stays foreign for long
	used map[int]bool
}

// claimUIDs claims a block that no other driver on this host has. The locks in
// dir are what drivers agree by. It kills what still runs under those ids: its
// driver is dead.
func claimUIDs(dir string) (*uidBlock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("claim user ids: %w", err)
	}
	base, err := uidBase("/proc/self/uid_map")
	if err != nil {
		return nil, err
	}
	for i := range uidBlocks {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("uids-%d.lock", i)), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, fmt.Errorf("claim user ids: %w", err)
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
			_ = f.Close()
			continue
		}
		u := &uidBlock{lock: f, first: base + i*uidBlockSize, used: map[int]bool{}}
		killAll(func() []int { return ownedBy(u.first, u.first+uidBlockSize-1) }, 1, goneWithin)
		return u, nil
	}
	return nil, fmt.Errorf("claim user ids: all %d blocks locked in %s are taken by other invokers", uidBlocks, dir)
}

// uidBase returns the first base whose blocks are mapped in this user
// namespace.
func uidBase(mapFile string) (int, error) {
	b, err := os.ReadFile(mapFile)
	if errors.Is(err, os.ErrNotExist) { // a kernel without user namespaces
		return uidBases[0], nil
	} else if err != nil {
		return 0, fmt.Errorf("claim user ids: %w", err)
	}
	for _, base := range uidBases {
		for line := range strings.Lines(string(b)) {
			var inside, outside, n int
			if _, err := fmt.Sscan(line, &inside, &outside, &n); err == nil &&
				inside <= base && base+uidBlocks*uidBlockSize <= inside+n {
				return base, nil
			}
		}
	}
	return 0, errors.New("claim user ids: this user namespace maps too few ids")
}

// take returns a free id.
func (u *uidBlock) take() (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for range uidBlockSize {
		id := u.first + u.next
		u.next = (u.next + 1) % uidBlockSize
		if !u.used[id] {
			u.used[id] = true
			return id, nil
		}
	}
	return 0, fmt.Errorf("all %d user ids for sandboxes are in use", uidBlockSize)
}

// give returns an id of which no process and no file is left.
func (u *uidBlock) give(id int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.used, id)
}

func (u *uidBlock) close() error { return u.lock.Close() }
