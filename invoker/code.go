package invoker

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"hearth/whisk"
)

var errDigest = errors.New("the code does not have the digest asked for")

// codeCache keeps the code of actions in files named by digest, up to a number
// of bytes; what was used longest ago goes first. Pinned code stays.
type codeCache struct {
	dir  string
	max  int64
	left []os.DirEntry // by an earlier life, for adopt

	mu    sync.Mutex // guards all below; no I/O happens under it
	files map[whisk.Digest]*list.Element
	order *list.List // of *codeFile, last used first
	bytes int64
}

type codeFile struct {
	digest whisk.Digest
	path   string
	size   int64
	pins   int
}

func newCodeCache(dir string, max int64) (*codeCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	return &codeCache{dir: dir, max: max, left: left, files: make(map[whisk.Digest]*list.Element), order: list.New()}, nil
}

// pin keeps the code of d in its file until unpin, and returns false if it is
// not there.
func (c *codeCache) pin(d whisk.Digest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.files[d]
	if e == nil {
		return false
	}
	e.Value.(*codeFile).pins++
	c.order.MoveToFront(e)
	return true
}

// unpin undoes one pin.
func (c *codeCache) unpin(d whisk.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.files[d]; e != nil {
		e.Value.(*codeFile).pins--
	}
}

// path returns the file of pinned code, "" if there is none or somebody has
// removed it; then the code is forgotten, so that it is asked for again.
func (c *codeCache) path(d whisk.Digest) string {
	c.mu.Lock()
	e := c.files[d]
	c.mu.Unlock()
	if e == nil {
		return ""
	}
	f := e.Value.(*codeFile)
	if fi, err := os.Stat(f.path); err == nil && fi.Size() == f.size {
		return f.path
	}
	c.mu.Lock()
	if c.files[d] == e {
		c.drop(e)
	}
	c.mu.Unlock()
	return ""
}

// put stores code that has the digest d and pins it.
func (c *codeCache) put(d whisk.Digest, code []byte) error {
	if sha256.Sum256(code) != d {
		return errDigest
	}
	// The file has its last name from the start: adopt finds out a torn one.
	f, err := os.CreateTemp(c.dir, d.String()+".*")
	if err != nil {
		return fmt.Errorf("cache code: %w", err)
	}
	_, err = f.Write(code)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("cache code: %w", err)
	}
	c.insert(&codeFile{digest: d, path: f.Name(), size: int64(len(code)), pins: 1})
	return nil
}

// insert takes f in, or deletes its file if that digest is there; its pins
// count all the same. What is too much is removed.
func (c *codeCache) insert(f *codeFile) {
	c.mu.Lock()
	var out []string
	if e := c.files[f.digest]; e != nil {
		out = append(out, f.path)
		e.Value.(*codeFile).pins += f.pins
	} else {
		c.files[f.digest] = c.order.PushFront(f)
		c.bytes += f.size
	}
	for e := c.order.Back(); e != nil && c.bytes > c.max; {
		old, prev := e.Value.(*codeFile), e.Prev()
		if old.pins == 0 {
			out = append(out, old.path)
			c.drop(e)
		}
		e = prev
	}
	c.mu.Unlock()
	for _, path := range out {
		_ = os.Remove(path) // at worst it is adopted by the next life
	}
}

// drop takes e out of the index. The caller holds mu.
func (c *codeCache) drop(e *list.Element) {
	f := e.Value.(*codeFile)
	c.order.Remove(e)
	delete(c.files, f.digest)
	c.bytes -= f.size
}

// adopt takes in the files that an earlier life left, each after a check of
// its digest, and deletes what is not code. It may run beside all else, once.
func (c *codeCache) adopt(ctx context.Context) {
	for _, n := range c.left {
		if ctx.Err() != nil {
			return
		}
		path := filepath.Join(c.dir, n.Name())
		var d whisk.Digest
		size := int64(-1)
		if len(n.Name()) > 64 && d.UnmarshalText([]byte(n.Name()[:64])) == nil {
			size = checkFile(path, d)
		}
		if size < 0 {
			_ = os.Remove(path)
			continue
		}
		c.insert(&codeFile{digest: d, path: path, size: size})
	}
}

// checkFile returns the size of a file with the digest d, else -1.
func checkFile(path string, d whisk.Digest) int64 {
	f, err := os.Open(path)
	if err != nil {
		return -1
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil || whisk.Digest(h.Sum(nil)) != d {
		return -1
	}
	return n
}
