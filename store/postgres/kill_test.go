package postgres

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

// pair is a commit of two ops, of which both must happen or none.
type pair struct{ record, row whisk.ActivationID }

func (p pair) ops() []store.Op {
	r := benchRecord(1)
	r.ID = p.record
	return []store.Op{
		{Kind: store.OpRecord, Record: r},
		{Kind: store.OpEnqueue, Row: &store.QueueRow{ID: p.row, Namespace: "guest", Holder: 1, Payload: make([]byte, 500)}},
	}
}

// writers commit pairs through one engine until they are told to stop.
type writers struct {
	d     *DB
	up    sync.RWMutex // held for writing while the server is known to be away
	acked chan pair
	lost  chan pair // of unknown outcome
}

func (w *writers) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.up.RLock()
		w.up.RUnlock() //nolint:staticcheck // one waits here while the server is away
		p := pair{whisk.NewActivationID(), whisk.NewActivationID()}
		call, cancel := context.WithTimeout(ctx, 20*time.Second)
		results, err := w.d.Commit(call, p.ops())
		cancel()
		to := w.acked
		if err != nil || !results[0].OK || !results[1].OK {
			to = w.lost
		}
		to <- p
	}
}

// TestServer ends a server in each way that there is. One serves for all of it,
// since it takes long to make.
func TestServer(t *testing.T) {
	s := pgtest.Start(t, pgtest.Config{})
	t.Run("Killed", func(t *testing.T) { serverKilled(t, s) })
	t.Run("Restarted", func(t *testing.T) { serverRestarted(t, s) })
	t.Run("FailedOver", func(t *testing.T) { serverFailedOver(t, s) })
}

// serverKilled kills and restarts the server amid commits, again and again:
// what was acknowledged is there, and nothing is there by half.
func serverKilled(t *testing.T, s *pgtest.Server) {
	d := open(t, s.Schema(t))
	defer closeDB(t, d)
	w := &writers{d: d, acked: make(chan pair), lost: make(chan pair, 1<<16)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { w.run(ctx) })
	}
	var acked []pair
	collect := func(n int) {
		t.Helper()
		for range n {
			select {
			case p := <-w.acked:
				acked = append(acked, p)
			case <-time.After(time.Minute):
				t.Fatalf("nothing is committed any more; %d were", len(acked))
			}
		}
	}
	for round, end := range []func(testing.TB){s.Kill, s.Kill, s.Stop} {
		collect(60 + 13*round)
		gone := make(chan struct{})
		go func() { // its answers come all the while
			for {
				select {
				case p := <-w.acked:
					acked = append(acked, p)
				case <-gone:
					close(gone)
					return
				}
			}
		}()
		end(t)
		w.up.Lock()
		gone <- struct{}{}
		<-gone
		s.Start(t)
		w.up.Unlock()
	}
	collect(60)
	stop()
	go func() { wg.Wait(); close(w.acked) }()
	for p := range w.acked {
		acked = append(acked, p)
	}
	close(w.lost)
	lost := 0
	for p := range w.lost {
		lost++
		if record, row := holds(t, d, p); record != row {
			t.Errorf("a commit of unknown outcome: record %v, row %v", record, row)
		}
	}
	for _, p := range acked {
		if record, row := holds(t, d, p); !record || !row {
			t.Errorf("an acknowledged commit: record %v, row %v", record, row)
		}
	}
	t.Logf("%d acknowledged, %d not", len(acked), lost)
}

func holds(t *testing.T, d *DB, p pair) (record, row bool) {
	t.Helper()
	_, err := d.Activation(t.Context(), "guest", p.record)
	if record = err == nil; err != nil && !errors.Is(err, whisk.ErrNotFound) {
		t.Fatal(err)
	}
	_, err = d.QueueRow(t.Context(), "guest", p.row)
	if row = err == nil; err != nil && !errors.Is(err, whisk.ErrNotFound) {
		t.Fatal(err)
	}
	return record, row
}

// serverRestarted has connections break between two reads, which nobody
// notices.
func serverRestarted(t *testing.T, s *pgtest.Server) {
	d := open(t, s.Schema(t))
	defer closeDB(t, d)
	doc, err := d.PutDoc(t.Context(), store.Doc{Key: store.Key{Namespace: "ns", Name: "a"}, Collection: store.Actions}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AwaitChange(t.Context()); err != nil { // connects
		t.Fatal(err)
	}
	s.Restart(t)
	if got, err := d.Doc(t.Context(), doc.Key); err != nil || got.Revision != doc.Revision {
		t.Errorf("read after a restart: %+v, %v", got, err)
	}
	if err := d.AwaitChange(t.Context()); err == nil {
		t.Error("a broken connection waits for changes")
	}
	if err := d.AwaitChange(t.Context()); err != nil {
		t.Errorf("await a change by a new connection: %v", err)
	}
	if _, err := d.PutDoc(t.Context(), doc, doc.Revision); err != nil {
		t.Errorf("write after a restart: %v", err)
	}
	if err := d.AwaitChange(t.Context()); err != nil {
		t.Errorf("await a change: %v", err)
	}
	s.Stop(t)
	if _, err := d.Doc(t.Context(), doc.Key); err == nil || whisk.KindOf(err) != whisk.Internal {
		t.Errorf("read while the server is away: error = %v", err)
	}
	s.Start(t)
	if _, err := d.Doc(t.Context(), doc.Key); err != nil {
		t.Errorf("read when the server is back: %v", err)
	}
}

// serverFailedOver has the first server of a DSN cease to take writes. The
// second one knows other numbers for the same names.
func serverFailedOver(t *testing.T, s *pgtest.Server) {
	other := pgtest.Shared(t)
	const schema = "failover"
	for _, server := range []*pgtest.Server{s, other} {
		server.Exec(t, "CREATE SCHEMA "+schema)
	}
	both := url.Values{"search_path": {schema}, "host": {s.Host() + "," + other.Host()}}
	record := func(d *DB, name string) error {
		r := benchRecord(1)
		r.Name = name
		_, err := d.Commit(t.Context(), []store.Op{{Kind: store.OpRecord, Record: r}})
		return err
	}
	there, d := open(t, other.DSN(url.Values{"search_path": {schema}})), open(t, s.DSN(both))
	defer closeDB(t, there)
	defer closeDB(t, d)
	for _, err := range []error{record(there, "two"), record(d, "one"), record(d, "two")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := there.CountActivations(t.Context(), store.ActivationQuery{Namespace: "guest"}); err != nil || n != 1 {
		t.Fatalf("%d records on the second server, %v, want its own", n, err)
	}
	// A standby says the same to whoever connects, and to who is connected.
	s.Exec(t, "ALTER ROLE "+pgtest.User+" SET default_transaction_read_only = on")
	if _, err := d.commits.Exec(t.Context(), "SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if err := record(d, "one"); stateOf(err) != stateReadOnly {
		t.Errorf("commit on a server that takes none: error = %v", err)
	}
	for _, name := range []string{"one", "two"} {
		if err := record(d, name); err != nil {
			t.Errorf("after the fail-over: %v", err)
		}
	}
	for name, want := range map[string]int{"one": 1, "two": 2} {
		if n, err := there.CountActivations(t.Context(), store.ActivationQuery{Namespace: "guest", Name: name}); err != nil || n != want {
			t.Errorf("%d records of %s on the second server, %v, want %d", n, name, err, want)
		}
	}
}
