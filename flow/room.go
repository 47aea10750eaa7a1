package flow

import (
	"time"

	"hearth/whisk"
)

// The backlog is divided so that nobody's rows keep all others out. Of its rows,
// and of its bytes:
//
//	1/2  at the most are of one namespace, and
//	1/4  of one action of it; 1/16 are claimed of one that is known to be refused
//	3/4  at the most are taken as they come. The last quarter is for rows of
//	     namespaces that have next to none ready here.
//
// Claimed rows for which there is no room so are parked: nothing but what places
// them is kept, and they are read again when their turn has come. So those behind
// them in the store can be reached. There are four times as many of these at the
// most, half of them of one namespace. Beyond that rows are given back.

// unread is what is known of a namespace's rows in the store that nobody holds.
type unread struct {
	spilled int                           // the last one that this process left there
	actions map[whisk.ActionName]struct{} // of those: newer ones queue up behind
	fasts   time.Time                     // until when its rows are not asked for
}

// fits reports whether the backlog has room for a new row. Nobody overtakes the
// rows of the same action that had none.
func (f *Flow) fits(it *item) bool {
	if u := f.unread[it.ns]; u != nil {
		if _, ok := u.actions[it.action]; ok {
			return false
		}
	}
	b := f.backlog
	return !f.halted && f.within(b.spaces[it.ns], it, 1, 2) && f.within(b.spots[it.spot()], it, 1, 4) && f.inQuarters(it)
}

// inQuarters reports whether the whole of the backlog has room for an item.
func (f *Flow) inQuarters(it *item) bool {
	b := f.backlog
	return f.within(b.all, it, 3, 4) || f.within(b.all, it, 1, 1) && b.readies(it.ns, f.mouthful()) <= f.mouthful()/2
}

// keeps reports whether the backlog has room for a row that was claimed. It is
// called with mu held, as are all that follow.
func (f *Flow) keeps(it *item) bool {
	b := f.backlog
	switch {
	case b.all.rows == 0:
		return true
	case b.refused(it):
		return f.within(b.spots[it.spot()], it, 1, 16) && f.within(b.all, it, 3, 4)
	}
	return f.within(b.spots[it.spot()], it, 1, 4) && f.inQuarters(it)
}

// within reports whether with the item what there is does not exceed a part of
// the bounds, which is one row at least.
func (f *Flow) within(s share, it *item, part, of int) bool {
	return s.rows < max(1, f.cfg.MaxRows*part/of) && s.bytes+it.size <= f.cfg.MaxBytes*int64(part)/int64(of)
}

// parks reports whether the backlog has room for one more that is parked.
func (f *Flow) parks(it *item) bool {
	b, most := f.backlog, parkedShare*f.cfg.MaxRows
	return b.all.parked < most && b.spaces[it.ns].parked < most/2 && b.all.bytes+parkedSize <= f.cfg.MaxBytes
}

// parkedShare is how many rows may be parked for each that may not.
const parkedShare = 4

// room reports whether there is any.
func (f *Flow) room() bool {
	return f.backlog.all.rows < f.cfg.MaxRows && f.backlog.all.bytes < f.cfg.MaxBytes
}

// mouthful is how many rows of one namespace are claimed at once.
func (f *Flow) mouthful() int { return max(1, min(claimLane, f.cfg.MaxRows/8)) }

// spill notes that the store has a row that nobody holds.
func (f *Flow) spill(it *item) {
	f.spills++
	u := f.left(it.ns)
	u.spilled, u.fasts = f.spills, time.Time{}
	u.actions[it.action] = struct{}{}
}

// left returns the note on what a namespace has in the store.
func (f *Flow) left(ns whisk.Namespace) *unread {
	u := f.unread[ns]
	if u == nil {
		u = &unread{actions: map[whisk.ActionName]struct{}{}}
		f.unread[ns] = u
	}
	return u
}

// hungry reports whether some namespace that has rows in the store has few here
// that are ready. All are given equally many then: one that has far more in the
// store than the others keeps none of these from their turn.
func (f *Flow) hungry(now time.Time) bool {
	if len(f.unread) == 0 || f.halted || !f.room() {
		return false
	}
	for ns, u := range f.unread {
		if now.Before(u.fasts) || f.backlog.spaces[ns].bytes > f.cfg.MaxBytes/4 {
			continue
		}
		if f.backlog.readies(ns, f.mouthful()) <= f.mouthful()/2 {
			return true
		}
	}
	return false
}

// digest notes what a claim tells of what is left in the store: kept are the rows
// of it for which there was room.
func (f *Flow) digest(q whisk.ClaimQuery, rows []whisk.QueueRow, kept map[whisk.Namespace]int, spills int, now time.Time) {
	var bytes int64
	found := map[whisk.Namespace]int{}
	for _, row := range rows {
		bytes += int64(len(row.Payload))
		found[row.Namespace]++
	}
	for ns, n := range found { // there may be more
		if u := f.left(ns); kept[ns] < (n+1)/2 { // it has too much here
			u.fasts = now.Add(f.cfg.ClaimEvery)
		}
	}
	if len(rows) >= q.Limit || bytes > q.Bytes/2 {
		return // it was cut short
	}
	for ns, u := range f.unread {
		if found[ns] == 0 && u.spilled <= spills {
			delete(f.unread, ns)
		}
	}
}
