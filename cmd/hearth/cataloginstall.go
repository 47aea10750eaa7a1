package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// catalogNote is under which name the store knows what was installed.
const catalogNote = "catalog of whisk.system"

// installed is what the note says: the digest of the catalogue, and which
// revision everything in it was given. An entity that has another one was
// changed by an operator, and is theirs from then on; so is one that is gone.
type installed struct {
	Digest    string           `json:"digest"`
	Revisions map[string]int64 `json:"revisions"` // by "package" and "package/action"
}

// catalogStore is what the installation asks of the entities.
type catalogStore interface {
	Package(ctx context.Context, name whisk.EntityName) (*whisk.Package, error)
	Action(ctx context.Context, name whisk.ActionName) (*whisk.Action, error)
	PutBatch(ctx context.Context, b store.Batch) ([]int64, error)
}

// installer brings whisk.system up to date.
type installer struct {
	entities catalogStore
	notes    noter
	limits   whisk.Limits // of new actions
	log      *slog.Logger
}

// install makes whisk.system hold c, all at once. Where it does already, that is
// found out by reading one note.
func (in *installer) install(ctx context.Context, c *catalog) error {
	const attempts = 3 // another router may be at it
	for n := 1; ; n++ {
		have, err := in.installed(ctx)
		if err != nil || have.Digest == c.digest {
			return err
		}
		next, err := in.update(ctx, c, have)
		if err == nil {
			var b []byte
			if b, err = json.Marshal(next); err == nil {
				err = in.notes.PutNote(ctx, catalogNote, b)
			}
		}
		if err == nil || n == attempts || whisk.KindOf(err) != whisk.Conflict {
			return err
		}
	}
}

func (in *installer) installed(ctx context.Context) (installed, error) {
	have := installed{Revisions: map[string]int64{}}
	b, err := in.notes.Note(ctx, catalogNote)
	if err == nil && b != nil {
		err = json.Unmarshal(b, &have)
	}
	if err != nil {
		return have, fmt.Errorf("what is installed of whisk.system: %w", err)
	}
	return have, nil
}

// update writes what has to be written of c and returns what is there then.
func (in *installer) update(ctx context.Context, c *catalog, have installed) (installed, error) {
	u := updating{installer: in, have: have, now: time.Now().UnixMilli(), lost: map[string]bool{}}
	u.next = installed{Digest: c.digest, Revisions: maps.Clone(have.Revisions)}
	for _, p := range c.packages {
		if err := u.addPackage(ctx, p); err != nil {
			return u.next, err
		}
	}
	for _, a := range c.actions {
		if err := u.addAction(ctx, a, c.codes[a.Exec.Code]); err != nil {
			return u.next, err
		}
	}
	if len(u.paths) == 0 {
		return u.next, nil
	}
	revisions, err := in.entities.PutBatch(ctx, u.batch)
	if err != nil {
		return u.next, err
	}
	for i, path := range u.paths {
		u.next.Revisions[path] = revisions[i]
	}
	in.log.Info("whisk.system is up to date", "packages", len(u.batch.Packages), "actions", len(u.batch.Actions))
	return u.next, nil
}

// updating is one update under way.
type updating struct {
	*installer
	have, next installed
	now        int64
	batch      store.Batch
	paths      []string        // of what is in the batch
	lost       map[string]bool // packages that are not ours
}

func (u *updating) addPackage(ctx context.Context, p *whisk.Package) error {
	stored, err := u.entities.Package(ctx, p.Name)
	v := verdict{log: u.log, path: p.Name.Name, noted: u.have.Revisions[p.Name.Name]}
	if err == nil {
		v.revision, v.same = stored.Revision, samePackage(stored, p)
	}
	put, err := v.decide(err)
	u.lost[p.Name.Name] = v.lost
	if v.same {
		u.next.Revisions[v.path] = v.revision
	}
	if err != nil || !put {
		return err
	}
	out := *p
	out.Updated, out.Revision = u.now, v.revision
	if v.revision != 0 {
		out.Version = stored.Version.Next()
	}
	u.batch.Packages, u.paths = append(u.batch.Packages, &out), append(u.paths, v.path)
	return nil
}

// addAction is called after all packages were added.
func (u *updating) addAction(ctx context.Context, a *whisk.Action, code []byte) error {
	if u.lost[a.Name.Package] {
		return nil
	}
	stored, err := u.entities.Action(ctx, a.Name)
	v := verdict{log: u.log, path: a.Name.Package + "/" + a.Name.Name}
	v.noted = u.have.Revisions[v.path]
	if err == nil {
		v.revision, v.same = stored.Revision, sameAction(stored, a)
	}
	put, err := v.decide(err)
	if v.same {
		u.next.Revisions[v.path] = v.revision
	}
	if err != nil || !put {
		return err
	}
	out := *a
	out.Limits, out.Updated, out.Revision = u.limits, u.now, v.revision
	if v.revision != 0 {
		out.Limits, out.Instances, out.Version = stored.Limits, stored.Instances, stored.Version.Next()
	}
	if code != nil {
		u.batch.Codes = append(u.batch.Codes, code)
	}
	u.batch.Actions, u.paths = append(u.batch.Actions, &out), append(u.paths, v.path)
	return nil
}

// verdict is what becomes of one entity of the catalogue.
type verdict struct {
	log      *slog.Logger
	path     string
	noted    int64 // the revision that it was given; 0: it was never installed
	revision int64 // that it has; 0: it is not there
	same     bool  // it is as it should be
	lost     bool  // it is gone, or something else
}

// decide reports whether the entity is to be written. err is how it was looked
// for.
func (v *verdict) decide(err error) (put bool, _ error) {
	switch {
	case errors.Is(err, whisk.ErrCollection), errors.Is(err, whisk.ErrCorrupted):
		v.lost = true
		v.log.Warn("something else has the name of a part of whisk.system, which is left out", "path", v.path)
		return false, nil
	case whisk.KindOf(err) == whisk.NotFound:
		v.lost = v.noted != 0 // an operator deleted it
		return !v.lost, nil
	case err != nil:
		return false, fmt.Errorf("look for whisk.system/%s: %w", v.path, err)
	case v.same:
		return false, nil
	case v.revision == v.noted:
		return true, nil
	}
	v.log.Info("a part of whisk.system was changed here and is left as it is", "path", v.path)
	return false, nil
}

func samePackage(a, b *whisk.Package) bool {
	return a.Binding == b.Binding && a.Publish == b.Publish && sameParameters(a.Parameters, b.Parameters) && sameParameters(a.Annotations, b.Annotations)
}

// sameAction ignores limits: they are the operator's settings.
func sameAction(a, b *whisk.Action) bool {
	x, y := a.Exec, b.Exec
	return x.Kind == y.Kind && x.Code == y.Code && x.Main == y.Main && x.Binary == y.Binary &&
		sameParameters(a.Parameters, b.Parameters) && sameParameters(a.Annotations, b.Annotations)
}

func sameParameters(a, b whisk.Parameters) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || string(a[i].Value) != string(b[i].Value) || a[i].Init != b[i].Init {
			return false
		}
	}
	return true
}
