package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// knownNames bounds each memory of numbers; beyond it it starts anew.
const knownNames = 1 << 16

// interned is a table of texts with their numbers, and those it has seen.
type interned struct {
	find, add *sql.Stmt
	known     map[string]int64 // committed
}

func newInterned() interned { return interned{known: map[string]int64{}} }

// newNames looks texts up within one transaction. What it adds to the table
// becomes known only by keep: a rollback takes the numbers back.
type newNames struct {
	ctx   context.Context
	tx    *sql.Tx
	known *interned
	found map[string]int64
}

// number returns a text's number, giving it one if it has none.
func (n *newNames) number(text string) (int64, error) {
	if id, ok := n.known.known[text]; ok {
		return id, nil
	}
	if id, ok := n.found[text]; ok {
		return id, nil
	}
	var id int64
	err := n.tx.StmtContext(n.ctx, n.known.find).QueryRowContext(n.ctx, text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var res sql.Result
		if res, err = n.tx.StmtContext(n.ctx, n.known.add).ExecContext(n.ctx, text); err == nil {
			id, err = res.LastInsertId()
		}
	}
	if err != nil {
		return 0, err
	}
	if n.found == nil {
		n.found = map[string]int64{}
	}
	n.found[text] = id
	return id, nil
}

func (n *newNames) keep() {
	if len(n.known.known)+len(n.found) > knownNames {
		clear(n.known.known)
	}
	for text, id := range n.found {
		n.known.known[text] = id
	}
}
