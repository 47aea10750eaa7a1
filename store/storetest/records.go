package storetest

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/store"
	"hearth/whisk"
)

// fullRecord uses every field, and texts that are easily spoilt.
func fullRecord() *whisk.Activation {
	a := record("ns", "pkg", "name with space", 1_700_000_000_123)
	a.Version = whisk.Version{Major: 1, Minor: 2, Patch: 3}
	a.Cause = whisk.NewActivationID()
	a.Response = whisk.Response{Status: whisk.DeveloperError, Result: []byte(`{"n":12345678901234567890.10, "s":"<&>\u0000"}`), Size: 4711}
	a.Logs = []string{"a <b> \x00 ü", "", strings.Repeat("x", 70_000), "invalid \xff\xfe"}
	a.Facts = whisk.Facts{
		Path: "ns/pkg/name with space", Kind: "nodejs:20", Limits: &whisk.Limits{Timeout: 1, Memory: 2, Logs: 3, Concurrency: 4},
		TimedOut: true, Wait: 5, Init: 6, Sandbox: whisk.Cold, Binding: "ns/b", InFlow: true, Conductor: true,
	}
	return a
}

func recordRoundTrip(t *testing.T, e store.Engine) {
	ctx := t.Context()
	bare := &whisk.Activation{ID: whisk.NewActivationID(), Namespace: "ns", Name: "t", Start: 1}
	odd := record("ns", "", "odd", 2)
	odd.Response.Result, odd.Logs = []byte("not JSON \xff"), nil
	for _, a := range []*whisk.Activation{fullRecord(), bare, odd} {
		if ok := commit(t, e, recordOp(a)); !ok[0] {
			t.Errorf("record %s: not OK", a.Name)
		}
		got := must(e.Activation(ctx, "ns", a.ID))(t)
		if !reflect.DeepEqual(got, a) {
			t.Errorf("read\n%+v, want\n%+v", got, a)
		}
		_, err := e.Activation(ctx, "other", a.ID)
		wantErr(t, "read through another namespace", err, whisk.ErrNotFound)
	}
	_, err := e.Activation(ctx, "ns", whisk.NewActivationID())
	wantErr(t, "read what is not there", err, whisk.ErrNotFound)

	brief := must(e.Activations(ctx, store.ActivationQuery{Namespace: "ns", Name: "pkg/name with space", Brief: true}))(t)
	if len(brief) != 1 || brief[0].Response.Status != whisk.DeveloperError || brief[0].Response.Size != 4711 || brief[0].Facts.Kind != "nodejs:20" {
		t.Errorf("brief list: %+v", brief)
	}
}

func recordFirstWins(t *testing.T, e store.Engine) {
	first := record("ns", "", "a", 10)
	late := *first
	late.Start, late.Response = 20, whisk.ErrorResponse(whisk.WhiskError, "lost")
	ok := commit(t, e, recordOp(first), recordOp(&late))
	ok = append(ok, commit(t, e, recordOp(&late))...)
	elsewhere := late
	elsewhere.Namespace = "other"
	ok = append(ok, commit(t, e, recordOp(&elsewhere))...)
	if want := []bool{true, false, false, false}; !slices.Equal(ok, want) {
		t.Errorf("OK = %v, want %v", ok, want)
	}
	if got := must(e.Activation(t.Context(), "ns", first.ID))(t); got.Start != 10 {
		t.Errorf("a later record has replaced the first")
	}
	if n := must(e.CountActivations(t.Context(), store.ActivationQuery{Namespace: "ns"}))(t); n != 1 {
		t.Errorf("%d records of one id", n)
	}
}

func recordUnstored(t *testing.T, e store.Engine) {
	a := record("ns", "", "a", 10)
	a.Unstored = true
	if ok := commit(t, e, recordOp(a)); !ok[0] {
		t.Errorf("an unstored record is not OK")
	}
	_, err := e.Activation(t.Context(), "ns", a.ID)
	wantErr(t, "read an unstored record", err, whisk.ErrNotFound)
}

func starts(as []*whisk.Activation) []int64 {
	var out []int64
	for _, a := range as {
		out = append(out, a.Start)
	}
	return out
}

func recordList(t *testing.T, e store.Engine) {
	ctx := t.Context()
	commit(t, e, recordOp(record("ns", "", "a", 100)), recordOp(record("ns", "pkg", "a", 200)), recordOp(record("ns", "", "b", 300)),
		recordOp(record("ns", "", "a", 400)), recordOp(record("other", "", "a", 500)))
	for _, tt := range []struct {
		name string
		q    store.ActivationQuery
		want []int64
		n    int
	}{
		{"all", store.ActivationQuery{Namespace: "ns"}, []int64{400, 300, 200, 100}, 4},
		{"name", store.ActivationQuery{Namespace: "ns", Name: "a"}, []int64{400, 100}, 2},
		{"name in package", store.ActivationQuery{Namespace: "ns", Name: "pkg/a"}, []int64{200}, 1},
		{"name of nothing", store.ActivationQuery{Namespace: "ns", Name: "zz"}, nil, 0},
		{"since", store.ActivationQuery{Namespace: "ns", Since: 200}, []int64{400, 300, 200}, 3},
		{"upto", store.ActivationQuery{Namespace: "ns", Upto: 200}, []int64{200, 100}, 2},
		{"both", store.ActivationQuery{Namespace: "ns", Name: "a", Since: 100, Upto: 399}, []int64{100}, 1},
		{"skip and limit", store.ActivationQuery{Namespace: "ns", Skip: 1, Limit: 2}, []int64{300, 200}, 4},
		{"brief", store.ActivationQuery{Namespace: "ns", Limit: 1, Brief: true}, []int64{400}, 4},
		{"skip all", store.ActivationQuery{Namespace: "ns", Skip: 4}, nil, 4},
		{"another namespace", store.ActivationQuery{Namespace: "other"}, []int64{500}, 1},
		{"no such namespace", store.ActivationQuery{Namespace: "nowhere"}, nil, 0},
	} {
		if got := starts(must(e.Activations(ctx, tt.q))(t)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: listed %v, want %v", tt.name, got, tt.want)
		}
		if n := must(e.CountActivations(ctx, tt.q))(t); n != tt.n {
			t.Errorf("%s: counted %d, want %d", tt.name, n, tt.n)
		}
	}
	for _, a := range must(e.Activations(ctx, store.ActivationQuery{Namespace: "ns"}))(t) {
		if len(a.Logs) != 1 || len(a.Response.Result) == 0 {
			t.Errorf("a full list lacks logs or result: %+v", a)
		}
	}
}

// recordListTies pages through records that started together.
func recordListTies(t *testing.T, e store.Engine) {
	var ops []store.Op
	var want []string
	for range 30 {
		a := record("ns", "", "a", 7)
		ops = append(ops, recordOp(a))
		want = append(want, a.ID.String())
	}
	commit(t, e, ops...)
	slices.Sort(want)
	var got []string
	for skip := 0; skip < 30; skip += 4 {
		for _, a := range must(e.Activations(t.Context(), store.ActivationQuery{Namespace: "ns", Skip: skip, Limit: 4, Brief: true}))(t) {
			got = append(got, a.ID.String())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages give %d ids in another order than sorted", len(got))
	}
}

// recordModel compares lists and counts with a plain slice.
func recordModel(t *testing.T, e store.Engine) {
	var all []*whisk.Activation
	names := []string{"a", "b", "p/a"}
	rapid.Check(t, func(t *rapid.T) {
		var ops []store.Op
		for range rapid.IntRange(0, 5).Draw(t, "records") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			pkg, short, ok := strings.Cut(name, "/")
			if !ok {
				pkg, short = "", name
			}
			a := record("ns", pkg, short, rapid.Int64Range(1, 20).Draw(t, "start"))
			all = append(all, a)
			ops = append(ops, recordOp(a))
		}
		if _, err := e.Commit(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
		q := store.ActivationQuery{
			Namespace: "ns", Name: rapid.SampledFrom(append(names, "")).Draw(t, "filter"),
			Since: rapid.Int64Range(0, 20).Draw(t, "since"), Upto: rapid.Int64Range(0, 20).Draw(t, "upto"),
			Skip: rapid.IntRange(0, 10).Draw(t, "skip"), Limit: rapid.IntRange(0, 10).Draw(t, "limit"),
		}
		want, n := model(all, q)
		got, err := e.Activations(t.Context(), q)
		if err != nil || !slices.Equal(ids(got), ids(want)) {
			t.Fatalf("listed %v, %v, want %v", ids(got), err, ids(want))
		}
		if got, err := e.CountActivations(t.Context(), q); err != nil || got != n {
			t.Fatalf("counted %d, %v, want %d", got, err, n)
		}
	})
}

func model(all []*whisk.Activation, q store.ActivationQuery) ([]*whisk.Activation, int) {
	var out []*whisk.Activation
	for _, a := range all {
		if (q.Name == "" || a.FilterName() == q.Name) && (q.Since == 0 || a.Start >= q.Since) && (q.Upto == 0 || a.Start <= q.Upto) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *whisk.Activation) int {
		if a.Start != b.Start {
			return int(b.Start - a.Start)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	n := len(out)
	out = out[min(q.Skip, n):]
	if q.Limit > 0 {
		out = out[:min(q.Limit, len(out))]
	}
	return out, n
}

func ids(as []*whisk.Activation) []string {
	out := make([]string, 0, len(as))
	for _, a := range as {
		out = append(out, a.ID.String())
	}
	return out
}

func recordExpire(t *testing.T, e store.Engine) {
	ctx := t.Context()
	for i := range int64(10) {
		commit(t, e, recordOp(record("ns", "", "a", i)), recordOp(record("other", "", "b", i)))
	}
	if got := must(e.RecordNamespaces(ctx))(t); !slices.Equal(got, []whisk.Namespace{"ns", "other"}) {
		t.Errorf("namespaces of records: %v", got)
	}
	for _, tt := range []struct {
		ns         whisk.Namespace
		most, want int
	}{{"ns", 3, 3}, {"ns", 0, 0}, {"ns", 100, 2}, {"ns", 100, 0}, {"nowhere", 100, 0}} {
		if n := must(e.ExpireActivations(ctx, tt.ns, time.UnixMilli(5), tt.most))(t); n != tt.want {
			t.Errorf("expired %d of at most %d, want %d", n, tt.most, tt.want)
		}
		if tt.most == 3 {
			if got := starts(must(e.Activations(ctx, store.ActivationQuery{Namespace: "ns"}))(t)); !slices.Equal(got, []int64{9, 8, 7, 6, 5, 4, 3}) {
				t.Errorf("left after the oldest three: %v", got)
			}
		}
	}
	if got := starts(must(e.Activations(ctx, store.ActivationQuery{Namespace: "ns"}))(t)); !slices.Equal(got, []int64{9, 8, 7, 6, 5}) {
		t.Errorf("left: %v", got)
	}
	if n := must(e.CountActivations(ctx, store.ActivationQuery{Namespace: "other"}))(t); n != 10 {
		t.Errorf("%d left of another namespace, want 10", n)
	}
	must(e.ExpireActivations(ctx, "other", time.UnixMilli(100), 100))(t)
	if got := must(e.RecordNamespaces(ctx))(t); !slices.Equal(got, []whisk.Namespace{"ns"}) {
		t.Errorf("namespaces of records: %v, want none without any", got)
	}
}
