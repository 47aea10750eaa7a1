package invokertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/whisk"
)

func testNeedCode(t *testing.T, r *rig) {
	for _, size := range []int{1, 5_000, 1 << 20} {
		c := NewCall()
		replies := r.call(t, c)
		r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.NeedCode})
		want(t, replies, whisk.NeedCode)
		code := bytes.Repeat([]byte{'c'}, size)
		r.v.Code(c.ID, code)
		if e := r.expect(t, "code", c.ID); !bytes.Equal(e.Code, code) {
			t.Errorf("%d bytes of code arrived, want %d", len(e.Code), size)
		}
		r.Invoker.Finish(c.ID, []byte(`{}`))
		want(t, replies, whisk.Done)
	}
}

func bigJSON(size int, fill string) []byte {
	return []byte(`{"x":"` + strings.Repeat(fill, size/len(fill)) + `"}`)
}

func testBigPayloads(t *testing.T, r *rig) {
	c := NewCall()
	c.Args = bigJSON(1<<20, "a")
	replies := r.call(t, c)
	if got := r.Invoker.Received(c.ID); !bytes.Equal(got.Args, c.Args) {
		t.Errorf("%d bytes of arguments arrived, want %d", len(got.Args), len(c.Args))
	}
	result := bigJSON(1<<20, "b")
	logs := []string{strings.Repeat("l", 16<<10), strings.Repeat("m", 1<<20)}
	r.Invoker.Finish(c.ID, result, logs...)
	rec := want(t, replies, whisk.Done).Record
	if !bytes.Equal(rec.Response.Result, result) || !reflect.DeepEqual(rec.Logs, logs) {
		t.Errorf("%d bytes of result, %d lines arrived", len(rec.Response.Result), len(rec.Logs))
	}
}

func testManyInFlight(t *testing.T, r *rig) {
	r.Invoker.Echo()
	const callers, each = 16, 20
	var wg sync.WaitGroup
	for w := range callers {
		wg.Go(func() {
			replies := make(chan whisk.Reply, each)
			args := map[whisk.ActivationID]json.RawMessage{}
			for i := range each {
				c := NewCall()
				c.Args = json.RawMessage(fmt.Sprintf(`{"w":%d,"i":%d}`, w, i))
				if i%10 == 0 {
					c.Args = bigJSON(40<<10+i, fmt.Sprint(w%10))
				}
				args[c.ID] = c.Args
				if err := r.v.Call(c, func(rep whisk.Reply) { replies <- rep }); err != nil {
					t.Error(err)
					return
				}
			}
			for range each {
				select {
				case rep := <-replies:
					if rep.Kind != whisk.Done || !bytes.Equal(rep.Record.Response.Result, args[rep.Record.ID]) {
						t.Errorf("reply %v does not fit its call", rep.Kind)
						return
					}
					delete(args, rep.Record.ID)
					r.v.Ack(rep.Record.ID)
				case <-time.After(patience):
					t.Error("a reply is missing")
					return
				}
			}
		})
	}
	wg.Wait()
	deadline := time.Now().Add(patience)
	for { // acks carry no answer
		left, err := r.v.Unacked(t.Context(), 10)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d records are left, %v", len(left), err)
		}
		if len(left) == 0 {
			return
		}
	}
}
