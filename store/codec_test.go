package store

import (
	"bytes"
	"encoding/json"
	"errors"
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
		id := whisk.NewActivationID()
		b := encodeBody(id, result, logs)
		gotResult, gotLogs, err := decodeBody(id, b)
		if err != nil || !bytes.Equal(gotResult, result) || !reflect.DeepEqual(gotLogs, logs) {
			t.Fatalf("decoded %q, %q, %v", gotResult, gotLogs, err)
		}
		if len(b) > 0 { // a body that lacks its end is damaged, wherever it was cut
			cut := rapid.IntRange(1, len(b)-1).Draw(t, "cut")
			if _, _, err := decodeBody(id, b[:cut]); !errors.Is(err, whisk.ErrCorrupted) {
				t.Fatalf("decoded the first %d of %d bytes", cut, len(b))
			}
			if _, _, err := decodeBody(id, append(b, 0)); !errors.Is(err, whisk.ErrCorrupted) {
				t.Fatalf("decoded a byte too many")
			}
			if _, _, err := decodeBody(whisk.NewActivationID(), b); !errors.Is(err, whisk.ErrCorrupted) {
				t.Fatalf("decoded the body of another record")
			}
		}
	})
}

func TestDecodeActivation(t *testing.T) {
	a := &whisk.Activation{ID: whisk.NewActivationID(), Name: "no version", Response: whisk.Response{Result: json.RawMessage(`{"a":"<"}`)}, Logs: []string{"x"}}
	head, body := EncodeActivation(a)
	if got, err := DecodeActivation(head, body); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("decoded %+v, %v, want %+v", got, err, a)
	}
	if got, err := DecodeActivation(head, nil); err != nil || got.ID != a.ID || got.Logs != nil || got.Response.Result != nil {
		t.Errorf("decoded the head alone: %+v, %v", got, err)
	}
	for _, bad := range []struct{ head, body string }{
		{"", ""}, {"{", ""}, {`{"version":"x"}`, ""}, {"{}", "\x02"}, {"{}", "\x01"}, {"{}", "\x01\x05abc"}, {"\x00\x00\x00\x00", ""}, {"{}", "\x00\x00\x00\x00"},
	} {
		if got, err := DecodeActivation([]byte(bad.head), []byte(bad.body)); !errors.Is(err, whisk.ErrCorrupted) {
			t.Errorf("decoded %q, %q: %+v, %v", bad.head, bad.body, got, err)
		}
	}
	bare := *a
	bare.Response.Result, bare.Logs = nil, nil
	if alone, body := EncodeActivation(&bare); !HasBody(head) || HasBody(alone) || body != nil || HasBody(nil) {
		t.Errorf("which heads have a body: %v and %v", HasBody(head), HasBody(alone))
	}
}

// TestDecodeBeforeSums reads a record as it was written without checksums.
func TestDecodeBeforeSums(t *testing.T) {
	a := someRecord()
	a.Response.Result, a.Logs = json.RawMessage("{}"), []string{"x"}
	got, err := DecodeActivation(appendHead(nil, a), []byte("\x01\x02{}\x01\x01x"))
	if err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("decoded %+v, %v, want %+v", got, err, a)
	}
}

// TestDecodeDamaged changes each byte of a record: none is decoded.
func TestDecodeDamaged(t *testing.T) {
	a := someRecord()
	a.Response.Result, a.Logs = json.RawMessage(`{"n":1}`), []string{"one", "two"}
	head, body := EncodeActivation(a)
	for _, part := range [][]byte{head, body} {
		for i := range part {
			for _, flip := range []byte{1, 2, 0x80, 0xff, part[i] ^ '{', part[i] ^ 1, part[i] ^ 2} {
				if flip == 0 {
					continue
				}
				part[i] ^= flip
				if got, err := DecodeActivation(head, body); !errors.Is(err, whisk.ErrCorrupted) {
					t.Errorf("byte %d of %d changed by %#x: decoded %+v, %v", i, len(part), flip, got, err)
				}
				part[i] ^= flip
			}
		}
	}
}

// headText returns the JSON of a head.
func headText(t *testing.T, head []byte) string {
	t.Helper()
	text, ok := cutSum(head, 0)
	if !ok {
		t.Fatalf("the checksum of %q is wrong", head)
	}
	return string(text[1:])
}

// FuzzHead holds the head that is written by hand against package json's.
func FuzzHead(f *testing.F) {
	f.Add([]byte{}, "", int64(0), uint32(0), false)
	f.Add([]byte{1, 2, 3}, "guest/hello <&> \"x\"\\ \x00\x7f\xff\u2028 \U0001f600", int64(-5), uint32(7), true)
	f.Add(make([]byte, 64), "a", int64(1<<62), uint32(1<<32-1), true)
	f.Fuzz(func(t *testing.T, ids []byte, text string, n int64, v uint32, yes bool) {
		a := &whisk.Activation{Namespace: "guest", Start: n, Unstored: yes}
		copy(a.ID[:], ids)
		cut := func(i int) string { return text[min(len(text), i):] }
		if yes {
			if len(ids) > 16 {
				copy(a.Cause[:], ids[16:])
			}
			a.Namespace, a.Name, a.Package, a.Subject = whisk.Namespace(text), cut(1), cut(2), cut(3)
			a.Version = whisk.Version{Major: v, Minor: v / 2, Patch: v / 3}
			a.End, a.Duration, a.Response.Size, a.Response.Status = n/2, n/3, int(n/4), whisk.Status(v)
			a.Facts = whisk.Facts{
				Path: cut(4), Kind: cut(5), Limits: &whisk.Limits{Timeout: n, Memory: n / 2, Logs: n / 3, Concurrency: n / 4},
				TimedOut: n%2 == 0, Wait: n / 5, Init: n / 6, Sandbox: whisk.Start(v), Binding: cut(6), InFlow: n%3 == 0, Conductor: n%5 == 0,
			}
		} else {
			a.Facts.Binding, a.Facts.InFlow = text, n > 0
		}
		want, err := json.Marshal(&recordHead{Activation: *a, Version: newVersion(a.Version)})
		if err != nil {
			t.Fatal(err)
		}
		a.Response.Result, a.Logs = json.RawMessage("not in the head"), []string{"nor this"}
		if got, _ := EncodeActivation(a); headText(t, got) != string(want) {
			t.Errorf("encoded\n%s, want\n%s", got, want)
		}
	})
}

// TestHeadHasAllFields fills each field of a record that there is, also those
// that nobody has thought of here.
func TestHeadHasAllFields(t *testing.T) {
	var a whisk.Activation
	fill(reflect.ValueOf(&a).Elem())
	h := recordHead{Activation: a, Version: newVersion(a.Version)}
	h.Logs, h.Response.Result = nil, nil
	want, err := json.Marshal(&h)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := EncodeActivation(&a); headText(t, got) != string(want) {
		t.Errorf("encoded\n%s, want\n%s", got, want)
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint32:
		v.SetUint(3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	default:
		panic("no value for a " + v.Kind().String())
	}
}

func BenchmarkEncodeActivation(b *testing.B) {
	a := someRecord()
	a.Facts = whisk.Facts{Path: "guest/hello", Kind: "nodejs:20", Limits: &whisk.Limits{Timeout: 60000, Memory: 256, Logs: 10, Concurrency: 1}}
	b.ReportAllocs()
	for b.Loop() {
		EncodeActivation(a)
	}
}

func FuzzDecodeBody(f *testing.F) {
	id := whisk.ActivationID{1}
	f.Add([]byte{})
	f.Add(encodeBody(id, []byte(`{"a":1}`), []string{"one", ""}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 0, 0xff, 0xff, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, appendSum(b, idSum(id))} { // a checksum that is right does not make it good
			result, logs, err := decodeBody(id, b)
			if err != nil {
				continue
			}
			again, logsAgain, err := decodeBody(id, encodeBody(id, result, logs))
			if err != nil || !bytes.Equal(again, result) || len(logsAgain) != len(logs) {
				t.Errorf("%q: decoded %q, %d logs; again %q, %d logs, %v", b, result, len(logs), again, len(logsAgain), err)
			}
		}
	})
}
