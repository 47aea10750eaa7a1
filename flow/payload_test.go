package flow

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestPayload(t *testing.T) {
	c := newCall("ns", 0)
	c.APIKey, c.NoQueue = "uuid:secret", true
	c.Env = json.RawMessage(`{"A":"<b>&"}`)
	c.Args = json.RawMessage(`{ "big": 12345678901234567890, "t":"<&>" }`)
	c.Waited, c.Unstored, c.InFlow, c.Cause = time.Second, true, true, whisk.NewActivationID()
	c.Target.WantsKey, c.Target.Binding = true, "other/pkg"
	b, err := encodeCall(c)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("secret")) {
		t.Error("the payload holds the key")
	}
	got, err := decodeCall(b)
	if err != nil {
		t.Fatal(err)
	}
	want := *c
	want.APIKey, want.NoQueue = "", false
	if !reflect.DeepEqual(got, &want) {
		t.Errorf("decoded %+v, want %+v", got, &want)
	}
	for name, bad := range map[string][]byte{
		"empty":      {},
		"version":    append([]byte{9}, b[1:]...),
		"cut":        b[:20],
		"length":     {1, 255, 255, 255, 255, '{', '}'},
		"no call":    {1, 0, 0, 0, 2, '{', '}'},
		"null":       append([]byte{1, 0, 0, 0, 4}, "null"...),
		"no target":  append([]byte{1, 0, 0, 0, 41}, `{"id":"`+strings.Repeat("a", 32)+`"}`...),
		"no JSON":    append([]byte{1, 0, 0, 0, 3}, "foo"...),
		"odd target": append([]byte{1, 0, 0, 0, 53}, `{"id":"`+strings.Repeat("a", 32)+`","target":[]}`...),
	} {
		if c, err := decodeCall(bad); err == nil {
			t.Errorf("%s: decoded %+v", name, c)
		}
	}
}

func TestPayloadArgs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCall("ns", 0)
		c.Args = rapid.SliceOf(rapid.Byte()).Draw(t, "args")
		b, err := encodeCall(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeCall(b)
		if err != nil || !bytes.Equal(got.Args, c.Args) || got.ID != c.ID {
			t.Fatalf("decoded %+v, %v", got, err)
		}
	})
}

func FuzzDecodeCall(f *testing.F) {
	b, err := encodeCall(newCall("ns", 12))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decodeCall(b)
		if err != nil {
			return
		}
		if c.APIKey != "" || c.NoQueue {
			t.Fatalf("decoded %+v", c)
		}
		again, err := encodeCall(c)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := decodeCall(again); err != nil || d.ID != c.ID || !bytes.Equal(d.Args, c.Args) {
			t.Fatalf("decoded again: %+v, %v", d, err)
		}
	})
}
