package process

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// What an archive may hold. Headers lie, so bytes are counted as they are
// written.
const (
	maxEntries   = 20_000
	maxUnpacked  = 512 << 20
	maxName      = 1024
	maxDirectory = 8 << 20 // bytes of a zip's directory, which is read whole
)

// unpacker writes an archive's entries below a root, owned by uid. The root
// follows no symbolic link out of it; links are made last, so that no entry is
// written through one.
type unpacker struct {
	root    *os.Root
	uid     int          // -1: leave the owner
	goOn    func() error // asked between steps; its error ends the unpacking
	entries int
	left    int64 // bytes
	folders map[string]bool
	links   []link
}

type link struct{ name, target string }

func newUnpacker(root *os.Root, uid int, goOn func() error) *unpacker {
	return &unpacker{root: root, uid: uid, goOn: goOn, entries: maxEntries, left: maxUnpacked, folders: map[string]bool{".": true}}
}

// bad makes the error for an archive that is refused.
func bad(format string, args ...any) error {
	return &codeError{"Initialization has failed due to: the archive cannot be unpacked: " + fmt.Sprintf(format, args...)}
}

// broken tells a fault of the archive from one of the disk.
func broken(err error) error {
	var pe *fs.PathError
	var ce *codeError
	if err == nil || errors.As(err, &pe) || errors.As(err, &ce) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errDestroyed) {
		return err
	}
	return bad("%v", err)
}

func (u *unpacker) zip(r io.ReaderAt, size int64) error {
	gate := &gatedReader{r: r, left: maxDirectory}
	z, err := zip.NewReader(gate, size)
	if err != nil {
		return broken(err)
	}
	gate.left = -1
	for _, f := range z.File {
		if err := u.zipEntry(f); err != nil {
			return err
		}
	}
	return u.finish()
}

func (u *unpacker) zipEntry(f *zip.File) error {
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") || mode.IsDir() {
		return u.folder(f.Name)
	}
	if mode&fs.ModeType != 0 && mode&fs.ModeType != fs.ModeSymlink {
		return bad("%q is neither a file, a folder nor a symbolic link", shown(f.Name))
	}
	r, err := f.Open()
	if err != nil {
		return broken(err)
	}
	defer r.Close()
	if mode&fs.ModeSymlink == 0 {
		_, err := u.file(f.Name, mode.Perm(), r)
		return broken(err)
	}
	target, err := io.ReadAll(io.LimitReader(r, maxName+1))
	if err != nil {
		return broken(err)
	}
	return u.link(f.Name, string(target))
}

func (u *unpacker) tarGz(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return broken(err)
	}
	// Headers too count as unpacked, or else a stream of them had no end.
	t := tar.NewReader(&countedReader{z, maxUnpacked + maxEntries*2048, u})
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.finish()
		} else if err != nil {
			return broken(err)
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
			_, err = u.file(h.Name, h.FileInfo().Mode().Perm(), t)
			err = broken(err)
		case tar.TypeDir:
			err = u.folder(h.Name)
		case tar.TypeSymlink:
			err = u.link(h.Name, h.Linkname)
		case tar.TypeXGlobalHeader:
		default:
			err = bad("%q is neither a file, a folder nor a symbolic link", shown(h.Name))
		}
		if err != nil {
			return err
		}
	}
}

// enter checks an entry's name, counts it and makes the folders above it.
func (u *unpacker) enter(name string) (string, error) {
	if name == "" || len(name) > maxName || strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) {
		return "", bad("the name %q is not allowed", shown(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", bad("the name %q leads out of it", shown(name))
		}
	}
	if err := u.count(); err != nil {
		return "", err
	}
	name = path.Clean(name)
	return name, u.above(name)
}

func (u *unpacker) count() error {
	if u.entries--; u.entries < 0 {
		return bad("it has more than %d entries", maxEntries)
	}
	return u.goOn()
}

// above makes the folders that hold name; they count as entries.
func (u *unpacker) above(name string) error {
	dir := path.Dir(name)
	if u.folders[dir] {
		return nil
	}
	if err := u.above(dir); err != nil {
		return err
	}
	if err := u.count(); err != nil {
		return err
	}
	return u.mkdir(dir)
}

func (u *unpacker) mkdir(dir string) error {
	if u.folders[dir] {
		return nil
	}
	if err := u.root.Mkdir(dir, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) || nameFault(err) {
			return bad("%q is there twice, or its name is too long", shown(dir))
		}
		return err
	}
	u.folders[dir] = true
	return u.own(dir)
}

func (u *unpacker) own(name string) error {
	if u.uid < 0 {
		return nil
	}
	return u.root.Lchown(name, u.uid, u.uid)
}

func (u *unpacker) folder(name string) error {
	name, err := u.enter(name)
	if err != nil {
		return err
	}
	return u.mkdir(name)
}

// file writes one file and returns its length.
func (u *unpacker) file(name string, mode fs.FileMode, r io.Reader) (int64, error) {
	name, err := u.enter(name)
	if err != nil {
		return 0, err
	}
	mode = mode&0o755 | 0o600
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		if u.folders[name] || nameFault(err) {
			return 0, bad("%q is there twice, or its name is too long", shown(name))
		}
		return 0, err
	}
	defer f.Close()
	n, err := io.Copy(f, &countedReader{r, -1, u})
	if err != nil {
		return n, err
	}
	if err := f.Chmod(mode); err != nil {
		return n, err
	}
	if u.uid >= 0 {
		err = f.Chown(u.uid, u.uid)
	}
	return n, errors.Join(err, f.Close())
}

// link remembers a symbolic link that does not lead out by its own text.
func (u *unpacker) link(name, target string) error {
	name, err := u.enter(name)
	if err != nil {
		return err
	}
	to := path.Join(path.Dir(name), target)
	if target == "" || len(target) > maxName || path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") ||
		strings.ContainsRune(target, 0) {
		return bad("the symbolic link %q leads out of it", shown(name))
	}
	u.links = append(u.links, link{name, target})
	return nil
}

// finish makes the links, then follows each: several together can lead out
// where none does alone.
func (u *unpacker) finish() error {
	for _, l := range u.links {
		if err := u.root.Symlink(l.target, l.name); err != nil {
			if errors.Is(err, fs.ErrExist) {
				return bad("%q is there twice", shown(l.name))
			}
			return broken(err)
		}
		if err := u.own(l.name); err != nil {
			return err
		}
	}
	for _, l := range u.links {
		if _, err := u.root.Stat(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return bad("the symbolic link %q leads out of it, or nowhere", shown(l.name))
		}
	}
	return nil
}

// shown is a name as errors show it.
func shown(name string) string { return name[:min(len(name), 200)] }
