package flow

import (
	"cmp"
	"context"
	"slices"
	"time"

	"hearth/whisk"
)

// testLease is how long the world keeps a claim.
const testLease = 20 * time.Second

// hold gives a row to a holder under a new lease. It is called with mu held.
func (w *world) hold(r *whisk.QueueRow, holder int64) {
	r.Holder = holder
	w.leases[r.ID] = time.Now().Add(testLease)
}

func (w *world) insert(row whisk.QueueRow) {
	w.seq++
	row.Seq = w.seq
	w.rows[row.ID] = &row
	w.hold(&row, row.Holder)
}

// ask is do for what may be refused.
func (w *world) ask(ctx context.Context, op string, refusal error, f func() bool) error {
	ok := false
	if err := w.do(ctx, op, func() { ok = f() }); err != nil {
		return err
	}
	if !ok {
		return refusal
	}
	return nil
}

func (w *world) Enqueue(ctx context.Context, row whisk.QueueRow) error {
	return w.ask(ctx, "enqueue", whisk.ErrExists, func() bool {
		if w.rows[row.ID] != nil {
			return false
		}
		w.insert(row)
		return true
	})
}

func (w *world) Start(ctx context.Context, id whisk.ActivationID, token, holder int64, lasts time.Duration) (ok bool, err error) {
	err = w.do(ctx, "start", func() {
		r := w.rows[id]
		if r != nil && (r.State == whisk.RowQueued && r.Holder == holder || r.State == whisk.RowStarted && r.Token == token) {
			r.State, r.Token, r.Until, ok = whisk.RowStarted, token, time.Now().Add(lasts).UnixMilli(), true
		}
	})
	return ok && err == nil, err
}

func (w *world) StartNew(ctx context.Context, row whisk.QueueRow, lasts time.Duration) error {
	return w.do(ctx, "startnew", func() {
		if w.records[row.ID] == nil && w.rows[row.ID] == nil {
			row.State, row.Until = whisk.RowStarted, time.Now().Add(lasts).UnixMilli()
			w.insert(row)
		}
	})
}

func (w *world) Requeue(ctx context.Context, id whisk.ActivationID, token, holder int64) error {
	return w.ask(ctx, "requeue", whisk.ErrChanged, func() bool {
		r := w.rows[id]
		if r == nil || r.State != whisk.RowStarted || r.Token != token {
			return false
		}
		r.State, r.Token, r.Until = whisk.RowQueued, 0, 0
		w.hold(r, holder)
		return true
	})
}

func (w *world) Release(ctx context.Context, id whisk.ActivationID, holder int64) error {
	return w.ask(ctx, "release", whisk.ErrChanged, func() bool {
		r := w.rows[id]
		if r == nil || r.State != whisk.RowQueued || r.Holder != holder {
			return false
		}
		w.hold(r, 0)
		return true
	})
}

func (w *world) Cancel(ctx context.Context, id whisk.ActivationID, rec *whisk.Activation) (ok bool, err error) {
	err = w.do(ctx, "cancel", func() {
		if r := w.rows[id]; r != nil && r.State == whisk.RowQueued {
			ok = true
			if w.records[id] == nil && !rec.Unstored {
				w.records[id] = rec
			}
			delete(w.rows, id)
		}
	})
	return ok && err == nil, err
}

func (w *world) Redrive(ctx context.Context, id whisk.ActivationID, row whisk.QueueRow) error {
	return w.ask(ctx, "redrive", whisk.ErrNotFound, func() bool {
		if _, ok := w.dead[id]; !ok {
			return false
		}
		delete(w.dead, id)
		w.insert(row)
		return true
	})
}

// choose returns rows by Seq. It is called with mu held.
func (w *world) choose(wanted func(*whisk.QueueRow) bool) (out []whisk.QueueRow) {
	for _, r := range w.rows {
		if wanted(r) {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b whisk.QueueRow) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

func (w *world) QueueRows(ctx context.Context, after int64, limit int) (out []whisk.QueueRow, err error) {
	err = w.do(ctx, "read", func() {
		out = w.choose(func(r *whisk.QueueRow) bool { return r.Seq > after })
		out = out[:min(limit, len(out))]
		if w.short && len(out) > 1 {
			out = out[:1]
		}
	})
	return out, err
}

func (w *world) QueueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (row whisk.QueueRow, err error) {
	err = w.ask(ctx, "look", whisk.ErrNotFound, func() bool {
		r := w.rows[id]
		if r == nil || r.Namespace != ns {
			return false
		}
		row = *r
		return true
	})
	return row, err
}

func (w *world) DeadLetter(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (l whisk.DeadLetter, err error) {
	err = w.ask(ctx, "letter", whisk.ErrNotFound, func() bool {
		r, ok := w.dead[id]
		l = whisk.DeadLetter{ID: id, Namespace: ns, Payload: r.Payload}
		return ok && r.Namespace == ns
	})
	return l, err
}

func (w *world) Claim(ctx context.Context, q whisk.ClaimQuery) (out []whisk.QueueRow, err error) {
	err = w.do(ctx, "claim", func() {
		now := time.Now()
		free := w.choose(func(r *whisk.QueueRow) bool {
			return r.State == whisk.RowQueued && r.Due <= now.UnixMilli() && (r.Holder == 0 || w.leases[r.ID].Before(now))
		})
		turn, turns := map[whisk.ActivationID]int{}, map[whisk.Namespace]int{}
		for _, r := range free {
			turn[r.ID] = turns[r.Namespace]
			turns[r.Namespace]++
		}
		slices.SortStableFunc(free, func(a, b whisk.QueueRow) int { return cmp.Compare(turn[a.ID], turn[b.ID]) })
		bytes := int64(0)
		for _, r := range free {
			bytes += int64(len(r.Payload))
			if len(out) == q.Limit || len(out) > 0 && bytes > q.Bytes || turn[r.ID] >= q.PerNamespace {
				break
			}
			w.hold(w.rows[r.ID], q.Holder)
			out = append(out, *w.rows[r.ID])
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (w *world) RenewClaims(ctx context.Context, holder int64) error {
	return w.do(ctx, "renew", func() {
		for _, r := range w.rows {
			if r.State == whisk.RowQueued && r.Holder == holder {
				w.hold(r, holder)
			}
		}
	})
}

func (w *world) Overdue(ctx context.Context, limit int) (out []whisk.QueueRow, err error) {
	err = w.do(ctx, "overdue", func() {
		out = w.choose(func(r *whisk.QueueRow) bool { return r.State == whisk.RowStarted && r.Until < time.Now().UnixMilli() })
		out = out[:min(limit, len(out))]
	})
	return out, err
}
