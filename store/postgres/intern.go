package postgres

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
)

// knownNames bounds each memory of numbers; beyond it it starts anew.
const knownNames = 1 << 16

// interned is a table of texts with their numbers, and those it has seen.
// Numbers are never taken back.
type interned struct {
	find, add string

	mu    sync.RWMutex // guards known
	known map[string]int32
}

func newInterned(table string) interned {
	return interned{
		find:  "SELECT text, id FROM " + table + " WHERE text = ANY($1::text[])",
		add:   "INSERT INTO " + table + " (text) SELECT unnest($1::text[]) ON CONFLICT (text) DO NOTHING",
		known: map[string]int32{},
	}
}

// numbers are those of the texts of one commit, 0 of what is not known yet.
type numbers map[string]int32

// note looks a text up. It returns false if it is none that can be stored.
func (m numbers) note(known *interned, text string) bool {
	if _, ok := m[text]; ok {
		return true
	}
	known.mu.RLock()
	id := known.known[text]
	known.mu.RUnlock()
	if id == 0 && !isText(text) {
		return false
	}
	m[text] = id
	return true
}

// resolve finds the numbers out that are not known, and gives one to texts
// that have none, in transactions of its own.
func (n *interned) resolve(ctx context.Context, conn *pgx.Conn, texts numbers) error {
	var missing []string
	for text, id := range texts {
		if id == 0 {
			missing = append(missing, text)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing) // one order for all, lest two wait for each other
	for first := true; len(missing) > 0; first = false {
		if !first {
			if _, err := conn.Exec(ctx, n.add, missing); err != nil {
				return err
			}
		}
		rows, err := conn.Query(ctx, n.find, missing)
		if err != nil {
			return err
		}
		var text string
		var id int32
		_, err = pgx.ForEachRow(rows, []any{&text, &id}, func() error {
			texts[text] = id
			return nil
		})
		if err != nil {
			return err
		}
		missing = slices.DeleteFunc(missing, func(text string) bool { return texts[text] != 0 })
	}
	n.keep(texts)
	return nil
}

func (n *interned) keep(texts numbers) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known)+len(texts) > knownNames {
		clear(n.known)
	}
	maps.Copy(n.known, texts)
}

// forget is for when the database may be another one.
func (n *interned) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.known)
}
