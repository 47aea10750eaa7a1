package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/VictoriaMetrics/metrics"
	sqlitedriver "modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"hearth/whisk"
)

// SQLite trusts its file: a byte that has changed there is read as it is, unless
// it is one that the file's structure hangs on. So rows that somebody could be
// harmed by have a checksum, which is looked at whenever they are read: records
// within their two parts (see [store.EncodeActivation]), code by its digest,
// documents, credentials and limits in a column of their own. What is sealed
// needs none.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowSum returns the checksum of the values of a row: int64, string, bool,
// []byte or nil.
func rowSum(values ...any) int64 {
	var b []byte
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, 0)
		case bool:
			n := int64(0)
			if v {
				n = 1
			}
			b = binary.AppendVarint(append(b, 1), n)
		case int64:
			b = binary.AppendVarint(append(b, 1), v)
		case string:
			b = append(binary.AppendUvarint(append(b, 2), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, 3), uint64(len(v))), v...)
		}
	}
	return int64(crc32.Checksum(b, castagnoli))
}

// registerSums makes rowSum known to SQL as row_sum, for migrations.
var registerSums = sync.OnceValue(func() error {
	return sqlitedriver.RegisterDeterministicScalarFunction("row_sum", -1, func(_ *sqlitedriver.FunctionContext, args []driver.Value) (driver.Value, error) {
		values := make([]any, len(args))
		for i, a := range args {
			values[i] = a
		}
		return rowSum(values...), nil
	})
})

// damaged returns the error of something that is not what was once stored.
func damaged(what string) error { return fmt.Errorf("%s: %w", what, whisk.ErrCorrupted) }

// damage tells of what is found damaged.
type damage struct{ found *metrics.Counter }

func newDamage(set *metrics.Set) damage {
	return damage{set.NewCounter("store_damaged_total")}
}

// report counts and logs what err says is damaged, and returns err.
func (d *DB) report(err error) error {
	if errors.Is(err, whisk.ErrCorrupted) {
		d.damage.found.Inc()
		d.log.Error("stored data is damaged: run hearth admin store check, and restore a backup if need be", "error", err)
	}
	return err
}

// isDamage reports whether SQLite itself has found the file damaged.
func isDamage(err error) bool {
	e, ok := errors.AsType[*sqlitedriver.Error](err)
	return ok && (e.Code()&0xff == sqlitelib.SQLITE_CORRUPT || e.Code()&0xff == sqlitelib.SQLITE_NOTADB)
}
