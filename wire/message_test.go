package wire

import (
	"bytes"
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

// callHeader is a call's header with its setting in it.
func callHeader(c *whisk.Call) []byte {
	return appendCall(appendSetting([]byte{0}, c), c)
}

func callPayload(c *whisk.Call) []byte {
	return appendParts(nil, [][]byte{callHeader(c), c.Args, c.Env})
}

func replyPayload(r whisk.Reply, c *whisk.Call, most int) []byte {
	b, result, logs := appendReply(nil, &r, c, most)
	if r.Record == nil {
		return b
	}
	return appendParts(b, [][]byte{result, logs})
}

func payload(m message) []byte { return appendParts(bytes.Clone(m.head), m.raw) }

func recordHeader(a *whisk.Activation) []byte { return appendFacts(nil, a, &a.Response, nil)[4:] }

func seedMessages() [][]byte {
	rec, c := newRecord(`{"x":1}`, "a", "b"), newCall()
	known := appendCall([]byte{1}, c)
	return [][]byte{
		callPayload(c),
		appendParts(nil, [][]byte{known, c.Args, c.Env}),
		appendSetting([]byte{0}, c),
		replyPayload(whisk.Reply{Kind: whisk.Queued}, nil, 1<<20),
		replyPayload(whisk.Reply{Kind: whisk.Done, Record: rec}, nil, 1<<20),
		replyPayload(whisk.Reply{Kind: whisk.Done, Record: c.Record()}, c, 1<<20),
		payload(encodeLookup(answer{state: whisk.RunningCall}, 1<<20)),
		payload(encodeLookup(answer{state: whisk.FinishedCall, records: []*whisk.Activation{rec}}, 1<<20)),
		payload(encodeUnacked(answer{err: errors.New("no")}, 1<<20)),
		payload(encodeUnacked(answer{records: []*whisk.Activation{rec, rec}}, 1<<20)),
	}
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
		b := replyPayload(whisk.Reply{Kind: whisk.Done, Record: a}, nil, 1<<20)
		for _, own := range []bool{false, true} {
			got, err := decodeReply(b, own, nil)
			if err != nil || !reflect.DeepEqual(got.Record, a) {
				t.Fatalf("got %+v, %v; want %+v", got.Record, err, a)
			}
		}
	})
}

func TestCopiesUnlessOwn(t *testing.T) {
	for _, own := range []bool{false, true} {
		b := callPayload(newCall())
		c := &whisk.Call{}
		if err := decodeCall(c, b, own, nil); err != nil {
			t.Fatal(err)
		}
		clear(b)
		if got := string(c.Args) == `{"a":1}`; got == own {
			t.Errorf("own = %v: arguments are %q after the buffer changed", own, c.Args)
		}
		if c.Target.Name.Name != "hello" {
			t.Errorf("own = %v: the name is %q after the buffer changed", own, c.Target.Name.Name)
		}
	}
}

func TestBadMessages(t *testing.T) {
	c, none := newCall(), newCall()
	none.ID = whisk.ActivationID{}
	header := recordHeader(newRecord(""))
	done := appendLoad([]byte{byte(whisk.Done)}, &whisk.Load{})
	kind := func(k whisk.ReplyKind) []byte { return appendLoad([]byte{byte(k)}, &whisk.Load{}) }
	for _, tt := range []struct {
		name   string
		decode func([]byte) error
		parts  [][]byte
	}{
		{"call without id", call, [][]byte{callHeader(none), nil, nil}},
		{"call with an unknown setting", call, [][]byte{appendCall([]byte{1}, c), nil, nil}},
		{"call of nothing", call, [][]byte{nil, nil, nil}},
		{"call without environment", call, [][]byte{callHeader(c), nil}},
		{"call with more than its header", call, [][]byte{append(callHeader(c), 0), nil, nil}},
		{"call with a huge header", call, [][]byte{make([]byte, maxHeader+1), nil, nil}},
		{"reply of no kind", reply, [][]byte{kind(0)}},
		{"reply without load", reply, [][]byte{{byte(whisk.Busy)}}},
		{"reply lost", reply, [][]byte{kind(whisk.Lost)}},
		{"busy with a record", reply, [][]byte{kind(whisk.Busy), header, nil, nil}},
		{"done without record", reply, [][]byte{done}},
		{"done without id", reply, [][]byte{done, recordHeader(none.Record()), nil, nil}},
		{"done of another's call", reply, [][]byte{done, appendFacts(nil, c.Record(), &whisk.Response{}, c)[4:], nil, nil}},
		{"done with an unknown flag", reply, [][]byte{done, append([]byte{header[0] | 0x80}, header[1:]...), nil, nil}},
		{"done with a huge header", reply, [][]byte{done, make([]byte, maxHeader+1), nil, nil}},
		{"done with broken logs", reply, [][]byte{done, header, nil, []byte("123")}},
		{"lookup without state", lookup, [][]byte{nil, nil}},
		{"lookup of unknown state", lookup, [][]byte{nil, {9}}},
		{"lookup finished, without record", lookup, [][]byte{nil, {byte(whisk.FinishedCall)}}},
		{"more records than asked for", unacked, [][]byte{nil, header, nil, nil, header, nil, nil}},
	} {
		if err := tt.decode(appendParts(nil, tt.parts)); !errors.Is(err, errProtocol) {
			t.Errorf("%s: %v, want a protocol error", tt.name, err)
		}
	}
	if err := reply(appendParts(nil, [][]byte{done, header, nil, nil})); err != nil {
		t.Errorf("a bare record: %v", err)
	}
}

func call(b []byte) error    { return decodeCall(&whisk.Call{}, b, false, nil) }
func reply(b []byte) error   { _, err := decodeReply(b, false, nil); return err }
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
		b := replyPayload(whisk.Reply{Kind: whisk.Done, Record: rec}, nil, most)
		if len(b) > most {
			t.Fatalf("%s: %d bytes", tt.name, len(b))
		}
		r, err := decodeReply(b, true, nil)
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
		b := payload(encodeUnacked(answer{records: recs[tt.from:]}, tt.max))
		if len(b) > tt.max {
			t.Fatalf("%d bytes, want %d at the most", len(b), tt.max)
		}
		a, err := decodeUnacked(b, 10)
		if err != nil || len(a.records) != tt.want || a.records[0].ID != recs[tt.from].ID {
			t.Errorf("got %d records, %v; want %d", len(a.records), err, tt.want)
		}
	}
}
