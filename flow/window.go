package flow

// window is the adaptive bound on rows run at once. It begins low, since what
// is free is not known, and grows by one with each success until an invoker has
// no room. Then it is halved, and grows carefully from there: by an eighth, or
// by one, in the time that all its rows take, so that it comes near to what
// there is without being refused over and over. Down at one it begins anew.
// Only successes of a window count that is used to the full, as far as one
// namespace can.
//
// Rows dispatched together are refused together; they are one sign of
// congestion, not many. So each dispatch notes the epoch, a refusal ends it,
// and refusals of an earlier epoch change nothing.
type window struct {
	limit, most int
	epoch       int  // refusals that counted
	careful     bool // the last refusal left some of it
	credit      int  // successes that have not raised the limit yet
}

const (
	firstWindow = 8
	carefulStep = 8
)

func newWindow(most int) window { return window{limit: min(firstWindow, most), most: most} }

// success notes that one of active rows has ended well.
func (w *window) success(active int) {
	if active < portion(w.limit) {
		return
	}
	if w.credit++; w.careful && w.credit < min(carefulStep, w.limit) {
		return
	}
	w.credit = 0
	w.limit = min(w.limit+1, w.most)
}

// busy notes that a row of the epoch was refused.
func (w *window) busy(epoch int) {
	if epoch != w.epoch {
		return
	}
	w.epoch++
	w.limit = max(1, w.limit/2)
	w.careful = w.limit > 1
	w.credit = 0
}

// reserveFrom is the least limit of which a part is kept for others.
const reserveFrom = 4

// portion is how many of limit rows may be of one namespace, so that another's
// does not have to wait until one of them has ended.
func portion(limit int) int {
	if limit < reserveFrom {
		return limit
	}
	return (3*limit + 3) / 4
}
