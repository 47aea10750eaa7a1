package api

import (
	"fmt"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

// bury makes a dead letter of the namespace.
func bury(t *testing.T, w *world, n int, ns whisk.Namespace) {
	t.Helper()
	row := whisk.QueueRow{ID: id(n), Namespace: ns, Created: 5, Attempt: 3, Payload: []byte("sealed")}
	rec := &whisk.Activation{
		ID: id(n), Namespace: ns, Name: "a", Package: "p", Start: int64(100 * n), End: int64(100*n + 20), Attempt: 3, Dead: true,
		Response: whisk.ErrorResponse(whisk.ApplicationError, `no "luck"`),
	}
	res, err := w.engine.Commit(t.Context(), []store.Op{{Kind: store.OpEnqueue, Row: &row}, {Kind: store.OpRecord, Record: rec}})
	if err != nil || !res[0].OK || !res[1].OK {
		t.Fatalf("%v, %v", res, err)
	}
}

func TestDeadLetters(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 3; n++ {
		bury(t, w, n, "alice")
	}
	bury(t, w, 4, "bob")
	letter := func(n int) string {
		return fmt.Sprintf(`{"activationId":"%s","namespace":"alice","name":"p/a","created":5,"ended":%d,"attempts":3,"reason":"no \"luck\""}`, id(n), 100*n+20)
	}
	one, bobs, none := id(1).String(), id(4).String(), id(7).String()
	for _, c := range []struct {
		method, target string
		status         int
		body           string
	}{
		{"GET", "_/deadletters", 200, "[" + letter(3) + "," + letter(2) + "," + letter(1) + "]"},
		{"GET", "alice/deadletters?limit=1&skip=1", 200, "[" + letter(2) + "]"},
		{"GET", "_/deadletters?count=true", 200, `{"deadletters":3}`},
		{"GET", "_/deadletters/" + one, 200, letter(1)},
		{"GET", "_/deadletters?limit=x", 400, ""},
		{"GET", "_/deadletters/" + none, 404, ""},
		{"GET", "_/deadletters/" + bobs, 404, ""},
		{"GET", "_/deadletters/zzz", 400, ""},
		{"GET", "_/deadletters/" + one + "/x", 404, ""},
		{"GET", "bob/deadletters", 403, ""},
		{"GET", "bob/deadletters/" + bobs, 403, ""},
		{"DELETE", "bob/deadletters", 403, ""},
		{"POST", "bob/deadletters/" + bobs, 403, ""},
		{"PUT", "_/deadletters/" + one, 405, ""},
		{"POST", "_/deadletters", 405, ""},
		{"POST", "_/deadletters/" + one, 202, `{"activationId":"` + id(99).String() + `"}`},
		{"POST", "_/deadletters/" + none, 404, ""},
		{"DELETE", "_/deadletters/" + none, 404, ""},
		{"DELETE", "_/deadletters/" + one, 200, `{"deleted":1}`},
		{"DELETE", "_/deadletters", 200, `{"deleted":2}`},
		{"GET", "_/deadletters", 200, "[]"},
	} {
		a := w.do(c.method, c.target, "")
		if a.status != c.status || c.body != "" && a.body != c.body {
			t.Errorf("%s %s = %d %s, want %d %s", c.method, c.target, a.status, a.body, c.status, c.body)
		}
	}
	if len(w.redone) != 1 || w.redone[0] != id(1) || w.inFlight != 0 {
		t.Errorf("redriven %v, %d in flight", w.redone, w.inFlight)
	}
	if n, err := w.engine.CountDeadLetters(t.Context(), "bob"); n != 1 || err != nil {
		t.Errorf("bob has %d, %v", n, err)
	}
}

func TestCancelQueued(t *testing.T) {
	w := newWorld(t)
	w.cancel = func(ns whisk.Namespace, aid whisk.ActivationID) (*whisk.Activation, error) {
		switch {
		case ns != "alice":
			t.Errorf("cancelled in %s", ns)
		case aid == id(1):
			return &whisk.Activation{ID: aid, Namespace: ns, Name: "a", Response: whisk.ErrorResponse(whisk.ApplicationError, "cancelled")}, nil
		case aid == id(2):
			return nil, whisk.Errorf(whisk.Conflict, "It has started.")
		}
		return nil, whisk.ErrNotFound
	}
	w.records = []*whisk.Activation{{ID: id(3), Namespace: "alice", Name: "a"}}
	for target, want := range map[string]int{
		"_/queue/" + id(1).String(): 200, "_/queue/" + id(2).String(): 409, "_/queue/" + id(3).String(): 409, "_/queue/" + id(4).String(): 404,
		"bob/queue/" + id(1).String(): 403, "_/queue/x": 400, "_/queue": 404, "_/queue/" + id(1).String() + "/": 404,
	} {
		if a := w.do("DELETE", target, ""); a.status != want {
			t.Errorf("DELETE %s = %d %s, want %d", target, a.status, a.body, want)
		}
	}
	if a := w.do("GET", "_/queue/"+id(1).String(), ""); a.status != 405 {
		t.Errorf("GET = %d", a.status)
	}
}
