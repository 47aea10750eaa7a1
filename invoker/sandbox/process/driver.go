package process

import (
	"context"
	"crypto/sha256"
	_ "embed" // the launchers
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/cgroup"
	"hearth/whisk"
)

//go:embed launcher.js
var launcherJS []byte

//go:embed launcher.py
var launcherPy []byte

// Driver makes sandboxes of plain processes.
type Driver struct {
	cfg       Config
	log       *slog.Logger
	dir       string // Config.Dir, or what took its place
	fallback  bool
	lock      *os.File // claims dir
	starter   *starter
	uids      *uidBlock    // nil unless root
	groups    *cgroup.Tree // nil where there are none to have
	procs     procTable
	languages []*language
	modules   string // of nodejs; "": none
	null      int    // /dev/null
	lastID    atomic.Int64

	mu    sync.Mutex // guards boxes
	boxes map[*box]bool
}

var _ sandbox.Driver = (*Driver)(nil)

// New cleans up after an earlier life, finds the interpreters and starts the
// thread that starts processes. Close ends all that.
func New(cfg Config) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Driver{cfg: cfg, log: cfg.Logger, null: -1, boxes: map[*box]bool{}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := d.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("process driver: %w", err), d.Close())
	}
	return d, nil
}

func (d *Driver) open() (err error) {
	// What we inherited without the close-on-exec flag must not reach user code.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		closeOnExec()
	}
	if os.Geteuid() == 0 {
		if d.uids, err = claimUIDs(d.cfg.LockDir); err != nil {
			return err
		}
	}
	if err := d.openDir(); err != nil {
		return err
	}
	if err := d.openModules(); err != nil {
		return err
	}
	if d.groups, err = cgroup.Open("hearth-" + d.name()); err != nil {
		d.log.Info("memory of sandboxes is watched, not bounded by the kernel", "why", err)
	}
	if d.null, err = unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return os.NewSyscallError("open /dev/null", err)
	}
	if d.starter, err = newStarter(); err != nil {
		return err
	}
	d.languages = d.discover()
	return nil
}

// closeOnExec sets the flag on kernels that cannot do it at once.
func closeOnExec() {
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, e := range fds {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// name tells this driver's groups and folders from those of others.
func (d *Driver) name() string {
	dir, err := filepath.Abs(d.cfg.Dir)
	if err != nil {
		dir = d.cfg.Dir
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:6])
}

// Runtimes implements [sandbox.Driver].
func (d *Driver) Runtimes() []whisk.Runtime {
	var rs []whisk.Runtime
	for _, l := range d.languages {
		rs = append(rs, whisk.Runtime{Kind: l.kind, Image: l.image, Default: true, Attached: true})
	}
	return append(rs, whisk.Runtime{Kind: goKind, Image: goImage, Default: true, Attached: true})
}

// Images implements [sandbox.Driver].
func (d *Driver) Images() []string { return []string{whisk.SkeletonImage} }

// Isolation implements [sandbox.Driver].
func (d *Driver) Isolation() string {
	missing := []string{"namespaces", "read-only file system", "system call filter", "network filter", "CPU and disk limits"}
	if d.uids == nil {
		missing = append(missing, "user ids of their own")
	}
	if d.groups == nil {
		missing = append(missing, "memory limit by the kernel")
	}
	return "partial: no " + strings.Join(missing, ", no ")
}

// Create implements [sandbox.Driver].
func (d *Driver) Create(ctx context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	var lang *language
	switch {
	case spec.Kind == whisk.Blackbox && whisk.ImageName(spec.Image) == whisk.SkeletonImage:
	case spec.Kind == goKind:
	default:
		for _, l := range d.languages {
			if l.kind == spec.Kind {
				lang = l
			}
		}
		if lang == nil {
			return nil, whisk.Errorf(whisk.BadRequest, "The process driver has no runtime for kind '%s' and image '%s'.", spec.Kind, spec.Image)
		}
	}
	if spec.MemoryMB <= 0 {
		return nil, fmt.Errorf("sandbox memory must be greater than 0, got %d MB", spec.MemoryMB)
	}
	b, err := d.newBox(spec)
	if err != nil {
		return nil, err
	}
	switch {
	case spec.Kind == whisk.Blackbox:
		return &native{box: b}, nil
	case spec.Kind == goKind:
		return &looped{newResident(b, nil, true)}, nil
	}
	if lang.family == "nodejs" {
		err = b.linkModules()
	}
	var l *launched
	if err == nil {
		l, err = b.launch(ctx, lang)
	}
	if err != nil {
		b.Destroy()
		return nil, err
	}
	return l, nil
}

// remove takes a box, whose processes are dead, off the books and off the disk.
func (d *Driver) remove(b *box) {
	left := killAll(b.members, b.rounds(), goneWithin)
	err := removeTree(b.home)
	if b.group != nil {
		err = errors.Join(err, b.group.Remove(goneWithin))
	}
	if b.uid >= 0 {
		removeOwned(b.uid)
		if len(left) == 0 {
			d.uids.give(b.uid)
		}
	}
	d.mu.Lock()
	delete(d.boxes, b)
	d.mu.Unlock()
	if err != nil || len(left) > 0 {
		d.log.Error("sandbox not wholly removed", "sandbox", b.id, "pids", left, "err", err)
	}
}

// Close destroys the sandboxes that are left and ends the starter's thread.
func (d *Driver) Close() error {
	d.mu.Lock()
	boxes := d.boxes
	d.boxes = nil
	d.mu.Unlock()
	var wg sync.WaitGroup
	for b := range boxes {
		wg.Go(b.Destroy)
	}
	wg.Wait()
	var errs []error
	if d.starter != nil {
		d.starter.close()
		d.starter = nil
	}
	if d.groups != nil {
		errs = append(errs, d.groups.Close())
		d.groups = nil
	}
	if d.uids != nil {
		errs = append(errs, d.uids.close())
		d.uids = nil
	}
	if d.null >= 0 {
		_ = unix.Close(d.null)
		d.null = -1
	}
	d.removeDir()
	return errors.Join(errs...)
}
