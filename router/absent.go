package router

import (
	"slices"
	"time"

	"hearth/whisk"
)

// departed is an invoker that left and has not come back.
type departed struct {
	hello whisk.Hello
	at    time.Time
}

// departures returns who is gone of those that were in the view before, and
// of those that it knew to be gone, as long as they may come back.
func (r *Router) departures(before *view, members map[string]*member, now time.Time) []departed {
	gone := slices.Clone(before.departed)
	for id, m := range before.members {
		if members[id] == nil {
			gone = append(gone, departed{m.hello, now})
		}
	}
	return slices.DeleteFunc(gone, func(d departed) bool {
		return members[d.hello.ID] != nil || now.Sub(d.at) >= r.cfg.AbsentAfter
	})
}

// refuser returns the invoker to which a call goes that nobody can run: its
// home, which will find that out itself and say so in a record. nil: somebody
// can, or may come who can, so that the call had better wait.
func (r *Router) refuser(v *view, t *whisk.Target, key string, now time.Time) (home *member) {
	if now.Sub(r.born) < r.cfg.AbsentAfter {
		return nil
	}
	for _, m := range v.members {
		if offers(&m.hello, t) {
			return nil
		}
	}
	for i := range v.departed {
		if d := &v.departed[i]; now.Sub(d.at) < r.cfg.AbsentAfter && offers(&d.hello, t) {
			return nil
		}
	}
	v.ring.Walk(key, func(id string) bool {
		if _, draining := v.members[id].share(now); !draining {
			home = v.members[id]
		}
		return home == nil
	})
	return home
}
