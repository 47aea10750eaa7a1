package api

import (
	"io"
	"net/http"
)

// list answers with rows that are fetched and written some at a time, because
// each may be megabytes. What changes meanwhile shifts the rows behind it, so
// that one may come again: it is left out then.
type list[T any, K comparable] struct {
	atOnce int // rows to be held at a time
	fetch  func(skip, limit int) ([]T, error)
	key    func(T) K
	size   func(T) int64 // roughly what the row holds in memory
	append func([]byte, T) []byte
}

// reply answers with the rows of a page. Those that are held at a time count
// in the budget.
func (l list[T, K]) reply(q *request, pg page) (reply, error) {
	rows, limit, err := l.next(q, pg.skip, pg.limit)
	if err != nil {
		return reply{}, err
	}
	seen := make(map[K]bool, len(rows))
	buf := l.appendRows(make([]byte, 1, 1024), rows, seen)
	buf[0] = '['
	if len(rows) < limit || limit == pg.limit {
		return ok(append(buf, ']'))
	}
	return reply{status: http.StatusOK, stream: func(w io.Writer) error {
		for done := 0; ; {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			if done += len(rows); len(rows) < limit || done >= pg.limit {
				break
			}
			q.unreserve(l.total(rows))
			if rows, limit, err = l.next(q, pg.skip+done, pg.limit-done); err != nil {
				return err
			}
			buf = l.appendRows(buf[:0], rows, seen)
		}
		_, err := w.Write([]byte{']'})
		return err
	}}, nil
}

// next fetches some of the rows, and returns how many it asked for.
func (l list[T, K]) next(q *request, skip, limit int) ([]T, int, error) {
	limit = min(limit, l.atOnce)
	rows, err := l.fetch(skip, limit)
	if err == nil {
		err = q.reserve(l.total(rows))
	}
	return rows, limit, err
}

func (l list[T, K]) total(rows []T) int64 {
	var n int64
	for _, r := range rows {
		n += l.size(r)
	}
	return n
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
