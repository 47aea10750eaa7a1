package store

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestBodyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		result := json.RawMessage(rapid.SliceOf(rapid.Byte()).Draw(t, "result"))
		var logs []string
		for _, l := range rapid.SliceOf(rapid.SliceOf(rapid.Byte())).Draw(t, "logs") {
			logs = append(logs, string(l))
		}
		b := encodeBody(result, logs)
		gotResult, gotLogs, err := decodeBody(b)
		if err != nil || !bytes.Equal(gotResult, result) || !reflect.DeepEqual(gotLogs, logs) {
			t.Fatalf("decoded %q, %q, %v", gotResult, gotLogs, err)
		}
		if len(b) > 0 { // a body that lacks its end is damaged, wherever it was cut
			cut := rapid.IntRange(1, len(b)-1).Draw(t, "cut")
			if _, _, err := decodeBody(b[:cut]); err == nil {
				t.Fatalf("decoded the first %d of %d bytes", cut, len(b))
			}
			if _, _, err := decodeBody(append(b, 0)); err == nil {
				t.Fatalf("decoded a byte too many")
			}
		}
	})
}

func TestDecodeActivation(t *testing.T) {
	a := &whisk.Activation{ID: whisk.NewActivationID(), Name: "no version", Response: whisk.Response{Result: json.RawMessage(`{"a":"<"}`)}, Logs: []string{"x"}}
	head, body, err := EncodeActivation(a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeActivation(head, body); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("decoded %+v, %v, want %+v", got, err, a)
	}
	if got, err := DecodeActivation(head, nil); err != nil || got.ID != a.ID || got.Logs != nil || got.Response.Result != nil {
		t.Errorf("decoded the head alone: %+v, %v", got, err)
	}
	for _, bad := range []struct{ head, body string }{{"", ""}, {"{", ""}, {`{"version":"x"}`, ""}, {"{}", "\x02"}, {"{}", "\x01"}, {"{}", "\x01\x05abc"}} {
		if got, err := DecodeActivation([]byte(bad.head), []byte(bad.body)); err == nil {
			t.Errorf("decoded %q, %q: %+v", bad.head, bad.body, got)
		}
	}
}

func FuzzDecodeBody(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeBody([]byte(`{"a":1}`), []string{"one", ""}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 0, 0xff, 0xff, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		result, logs, err := decodeBody(b)
		if err != nil {
			return
		}
		again, logsAgain, err := decodeBody(encodeBody(result, logs))
		if err != nil || !bytes.Equal(again, result) || len(logsAgain) != len(logs) {
			t.Errorf("%q: decoded %q, %d logs; again %q, %d logs, %v", b, result, len(logs), again, len(logsAgain), err)
		}
	})
}
