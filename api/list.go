package api

import (
	"io"
	"net/http"
	"slices"
)

// list answers with rows that are fetched and written some at a time, because
// each may be megabytes. What changes meanwhile shifts the rows behind it, so
// that one may come again: it is left out then.
type list[T any, K comparable] struct {
	atOnce int   // rows to be held at a time
	turns  int64 // to wait for, see inTurn
	fetch  func(skip, limit int) ([]T, error)
	key    func(T) K
	size   func(T) int64 // roughly what the row holds in memory
	append func([]byte, T) []byte
}

// reply answers with the rows of a page. What is held of them at a time counts
// in the budget.
func (l list[T, K]) reply(q *request, pg page) (reply, error) {
	seen := map[K]bool{}
	b, n, err := l.next(q, append(make([]byte, 0, 1024), '['), seen, pg.skip, pg.limit)
	if err != nil {
		return reply{}, err
	}
	if n < l.atOnce || n == pg.limit {
		return ok(append(b, ']'))
	}
	return reply{status: http.StatusOK, stream: func(w io.Writer) error {
		for done := n; ; done += n {
			if _, err := w.Write(b); err != nil {
				return err
			}
			if n < l.atOnce || done >= pg.limit {
				break
			}
			q.unreserve(int64(cap(b)))
			if b, n, err = l.next(q, b[:0], seen, pg.skip+done, pg.limit-done); err != nil {
				return err
			}
		}
		_, err := w.Write([]byte{']'})
		return err
	}}, nil
}

// next fetches some of the rows, appends them to b, and returns how many they
// were: fewer than atOnce and limit only where there are no more.
func (l list[T, K]) next(q *request, b []byte, seen map[K]bool, skip, limit int) ([]byte, int, error) {
	var (
		rows []T
		held int64
	)
	err := q.inTurn(l.turns, func() (err error) {
		if rows, err = l.fetch(skip, min(limit, l.atOnce)); err != nil {
			return err
		}
		for _, r := range rows {
			held += l.size(r)
		}
		return q.reserve(held)
	})
	if err != nil {
		return nil, 0, err
	}
	b = l.appendRows(slices.Grow(b, int(held)), rows, seen) // growing bit by bit would cost several times as much
	q.unreserve(held)                                       // from here on there is only their text
	return b, len(rows), q.reserve(int64(cap(b)))
}

func (l list[T, K]) appendRows(b []byte, rows []T, seen map[K]bool) []byte {
	for _, r := range rows {
		k := l.key(r)
		if seen[k] {
			continue
		}
		if len(seen) > 0 {
			b = append(b, ',')
		}
		seen[k] = true
		b = l.append(b, r)
	}
	return b
}
