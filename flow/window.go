package flow

// window is the adaptive bound on rows run at once: halved when an invoker has
// no room, raised by one with each success while it is used to the full. It
// begins low, since what is free is not known.
//
// Rows dispatched together are refused together; they are one sign of
// congestion, not many. So each dispatch notes the epoch, a refusal ends it,
// and refusals of an earlier epoch change nothing.
type window struct {
	limit, most int
	epoch       int
}

func newWindow(most int) window { return window{limit: min(8, most), most: most} }

// success notes that one of active rows has ended well.
func (w *window) success(active int) {
	if active >= w.limit {
		w.limit = min(w.limit+1, w.most)
	}
}

// busy notes that a row of the epoch was refused.
func (w *window) busy(epoch int) {
	if epoch == w.epoch {
		w.limit = max(1, w.limit/2)
		w.epoch++
	}
}
