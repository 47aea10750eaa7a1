package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func newCall() *whisk.Call {
	return &whisk.Call{
		ID: whisk.NewActivationID(), Namespace: "guest", Args: []byte(`{"a":1}`),
		Target: &whisk.Target{
			Name:    whisk.ActionName{Namespace: "guest", Name: "hello"},
			Version: whisk.FirstVersion, Exec: whisk.Exec{Kind: "nodejs:20", Code: whisk.Digest{1}},
			Limits: whisk.Limits{Timeout: 60_000, Memory: 256, Logs: 10, Concurrency: 1},
		},
	}
}

func newRecord(result string, logs ...string) *whisk.Activation {
	a := newCall().Record()
	a.Response.Result, a.Response.Size, a.Logs = []byte(result), len(result), logs
	return a
}

func seedMessages(t testing.TB) (all [][][]byte) {
	add := func(parts [][]byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parts)
	}
	rec := newRecord(`{"x":1}`, "a", "b")
	add(encodeCall(newCall()))
	add(encodeReply(whisk.Reply{Kind: whisk.Queued}, 1<<20))
	add(encodeReply(whisk.Reply{Kind: whisk.Done, Record: rec}, 1<<20))
	add(encodeLookup(answer{state: whisk.RunningCall}, 1<<20))
	add(encodeLookup(answer{state: whisk.FinishedCall, records: []*whisk.Activation{rec}}, 1<<20))
	add(encodeUnacked(answer{err: errors.New("no")}, 1<<20))
	add(encodeUnacked(answer{records: []*whisk.Activation{rec, rec}}, 1<<20))
	return all
}

func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := newRecord(rapid.String().Draw(t, "result"), rapid.SliceOf(rapid.StringN(0, 20, -1)).Draw(t, "logs")...)
		if len(a.Logs) == 0 {
			a.Logs = nil
		}
		if len(a.Response.Result) == 0 {
			a.Response.Result = nil
		}
		parts, err := encodeReply(whisk.Reply{Kind: whisk.Done, Record: a}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range []bool{false, true} {
			got, err := decodeReply(appendParts(nil, parts), own)
			if err != nil || !reflect.DeepEqual(got.Record, a) {
				t.Fatalf("got %+v, %v; want %+v", got.Record, err, a)
			}
		}
	})
}

func TestCopiesUnlessOwn(t *testing.T) {
	parts, err := encodeCall(newCall())
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range []bool{false, true} {
		b := appendParts(nil, parts)
		c, err := decodeCall(b, own)
		if err != nil {
			t.Fatal(err)
		}
		clear(b)
		if got := string(c.Args) == `{"a":1}`; got == own {
			t.Errorf("own = %v: arguments are %q after the buffer changed", own, c.Args)
		}
	}
}

func TestBadMessages(t *testing.T) {
	id := newCall().ID
	head := []byte(`{"activationId":"` + id.String() + `","version":"0.0.1"}`)
	for _, tt := range []struct {
		name   string
		decode func([]byte) error
		parts  [][]byte
	}{
		{"call without id", call, [][]byte{[]byte(`{"target":{"version":"0.0.1"}}`), nil, nil}},
		{"call without target", call, [][]byte{[]byte(`{"id":"` + id.String() + `"}`), nil, nil}},
		{"call of null", call, [][]byte{[]byte(`null`), nil, nil}},
		{"call without environment", call, [][]byte{[]byte(`{}`), nil}},
		{"call with a huge header", call, [][]byte{make([]byte, maxHeader+1), nil, nil}},
		{"reply of no kind", reply, [][]byte{[]byte(`{}`)}},
		{"reply lost", reply, [][]byte{[]byte(`{"kind":6}`)}},
		{"busy with a record", reply, [][]byte{[]byte(`{"kind":1}`), head, nil, nil}},
		{"done without record", reply, [][]byte{[]byte(`{"kind":5}`)}},
		{"done without id", reply, [][]byte{[]byte(`{"kind":5}`), []byte(`{}`), nil, nil}},
		{"done with broken logs", reply, [][]byte{[]byte(`{"kind":5}`), head, nil, []byte("123")}},
		{"lookup without state", lookup, [][]byte{nil, nil}},
		{"lookup of unknown state", lookup, [][]byte{nil, {9}}},
		{"lookup finished, without record", lookup, [][]byte{nil, {byte(whisk.FinishedCall)}}},
		{"more records than asked for", unacked, [][]byte{nil, head, nil, nil, head, nil, nil}},
	} {
		if err := tt.decode(appendParts(nil, tt.parts)); !errors.Is(err, errProtocol) {
			t.Errorf("%s: %v, want a protocol error", tt.name, err)
		}
	}
	if err := reply(appendParts(nil, [][]byte{[]byte(`{"kind":5}`), head, nil, nil})); err != nil {
		t.Errorf("a bare record: %v", err)
	}
}

func call(b []byte) error    { _, err := decodeCall(b, false); return err }
func reply(b []byte) error   { _, err := decodeReply(b, false); return err }
func lookup(b []byte) error  { _, err := decodeLookup(b); return err }
func unacked(b []byte) error { _, err := decodeUnacked(b, 1); return err }

// A record that no message can hold arrives without its logs, then without
// its result: it ends its call all the same.
func TestRecordIsCut(t *testing.T) {
	const most = 64 << 10
	big := strings.Repeat("x", most)
	for _, tt := range []struct {
		name         string
		result, line string
		cut, failed  bool
	}{
		{"fits", `{}`, "line", false, false},
		{"logs", `{}`, big, true, false},
		{"many lines", `{}`, "", true, false},
		{"result", `"` + big + `"`, "line", true, true},
	} {
		rec := newRecord(tt.result, tt.line)
		if tt.line == "" {
			rec.Logs = make([]string, most/4)
		}
		parts, err := encodeReply(whisk.Reply{Kind: whisk.Done, Record: rec}, most)
		if err != nil || sizeOf(parts) > most {
			t.Fatalf("%s: %d bytes, %v", tt.name, sizeOf(parts), err)
		}
		r, err := decodeReply(appendParts(nil, parts), true)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Record.Logs[0] == msgLogsCut; got != tt.cut {
			t.Errorf("%s: logs cut = %v", tt.name, got)
		}
		if got := r.Record.Response.Status == whisk.WhiskError; got != tt.failed {
			t.Errorf("%s: failed = %v", tt.name, got)
		}
		if rec.Logs[0] == msgLogsCut || rec.Response.Status != whisk.Success {
			t.Errorf("%s: the record itself was changed", tt.name)
		}
	}
}

func TestUnackedIsCut(t *testing.T) {
	const most = 1 << 20
	var recs []*whisk.Activation
	for range 10 {
		recs = append(recs, newRecord(`"`+strings.Repeat("x", 100<<10)+`"`))
	}
	for _, tt := range []struct{ from, max, want int }{{0, most, 2}, {0, 64 * most, 10}, {9, most, 1}, {0, 200 << 10, 1}} {
		parts, err := encodeUnacked(answer{records: recs[tt.from:]}, tt.max)
		if err != nil || sizeOf(parts) > tt.max {
			t.Fatalf("%d bytes, %v", sizeOf(parts), err)
		}
		a, err := decodeUnacked(appendParts(nil, parts), 10)
		if err != nil || len(a.records) != tt.want || a.records[0].ID != recs[tt.from].ID {
			t.Errorf("got %d records, %v; want %d", len(a.records), err, tt.want)
		}
	}
}
