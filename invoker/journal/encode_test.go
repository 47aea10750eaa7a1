package journal

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// What appendHead writes reads as what encoding/json writes.
func TestHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ -~]{0,12}`), rapid.String())
		num := rapid.Int64Range(0, 1<<53)
		id := func(name string) (id whisk.ActivationID) {
			copy(id[:], rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, name))
			return id
		}
		small := rapid.Uint32Range(1, 3)
		a := whisk.Activation{
			ID: id("id"), Namespace: whisk.Namespace(text.Draw(t, "ns")), Name: text.Draw(t, "name"), Package: text.Draw(t, "pkg"),
			Version: whisk.Version{Major: small.Draw(t, "major"), Minor: small.Draw(t, "minor"), Patch: small.Draw(t, "patch")},
			Subject: text.Draw(t, "subject"), Start: num.Draw(t, "start"), End: num.Draw(t, "end"), Duration: num.Draw(t, "duration"),
			Cause:    id("cause"),
			Response: whisk.Response{Status: whisk.Status(small.Draw(t, "status")), Size: int(num.Draw(t, "size"))},
			Logs:     rapid.SliceOf(text).Draw(t, "logs"),
			Facts: whisk.Facts{
				Path: text.Draw(t, "path"), Kind: text.Draw(t, "kind"), TimedOut: rapid.Bool().Draw(t, "timedOut"),
				Wait: num.Draw(t, "wait"), Init: num.Draw(t, "init"), Sandbox: whisk.Start(small.Draw(t, "sandbox")),
				Binding: text.Draw(t, "binding"), InFlow: rapid.Bool().Draw(t, "inFlow"), Conductor: rapid.Bool().Draw(t, "conductor"),
			},
			Unstored: rapid.Bool().Draw(t, "unstored"),
		}
		if rapid.Bool().Draw(t, "limited") {
			a.Facts.Limits = &whisk.Limits{Timeout: num.Draw(t, "timeout"), Memory: num.Draw(t, "memory"), Logs: num.Draw(t, "logLimit"), Concurrency: 1}
		}
		want, err := json.Marshal(&a)
		if err != nil {
			t.Fatal(err)
		}
		got := appendHead(nil, &a)
		var x, y whisk.Activation
		if err := json.Unmarshal(got, &x); err != nil {
			t.Fatalf("%v of %s", err, got)
		}
		if err := json.Unmarshal(want, &y); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

// TestHeadKnowsAllFields fails when a record gets a field that appendHead does
// not write.
func TestHeadKnowsAllFields(t *testing.T) {
	for _, tt := range []struct {
		v    any
		want int
	}{{whisk.Activation{}, 17}, {whisk.Response{}, 3}, {whisk.Facts{}, 10}, {whisk.Limits{}, 4}} {
		if n := reflect.TypeOf(tt.v).NumField(); n != tt.want {
			t.Errorf("%T has %d fields, want %d: see appendHead", tt.v, n, tt.want)
		}
	}
}
