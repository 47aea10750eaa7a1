package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/client"
)

func TestStripStamp(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"2024-01-01T00:00:00.123456789Z stdout: hello", "hello"},
		{"2024-01-01T00:00:00.123456Z       stderr: two  words", "two  words"},
		{"2024-01-01T00:00:00.1Z plain", "plain"},
		{"2024-01-01T00:00:00.123456789Z stdout: ", "2024-01-01T00:00:00.123456789Z stdout: "},
		{"no stamp", "no stamp"},
		{"", ""},
	} {
		if got := stripStamp(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, tt := range []struct {
		in   string
		most int
		want string
	}{
		{"short", 20, "short"},
		{strings.Repeat("a", 20), 20, strings.Repeat("a", 20)},
		{"abcdefghijklmnopqrstuvwxyz", 20, "abcdefghij...tuvwxyz"},
		{"abcdefghijklmnopqrstuvwxyz", 21, "abcdefghijk...tuvwxyz"},
	} {
		if got := shorten(tt.in, tt.most); got != tt.want {
			t.Errorf("%s, %d: got %s, want %s", tt.in, tt.most, got, tt.want)
		}
	}
}

// fakeRecords answers a poller from two functions.
type fakeRecords struct {
	list func(q client.ActivationQuery) ([]client.Activation, error)
	logs func(id string) ([]string, error)
}

func (f fakeRecords) Activations(_ context.Context, q client.ActivationQuery) ([]client.Activation, error) {
	return f.list(q)
}

func (f fakeRecords) Logs(_ context.Context, id string) ([]string, error) { return f.logs(id) }

func TestPollShowsEachActivationOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().UnixMilli()
		rounds := 0
		from := fakeRecords{
			list: func(q client.ActivationQuery) ([]client.Activation, error) {
				if q.Limit == 1 {
					return []client.Activation{{ActivationID: "old", Start: began - 1}}, nil
				}
				if q.Name != "act" || q.Since > began {
					t.Errorf("asked for %+v, began %d", q, began)
				}
				rounds++
				list := []client.Activation{{ActivationID: "b", Name: "act", Start: began + 20}, {ActivationID: "a", Name: "act", Start: began + 10}}
				switch rounds {
				case 1:
					return nil, nil
				case 2:
					return nil, errors.New("network")
				case 3:
					return list, nil
				}
				// A long run ends late and appears behind the others.
				return append(list, client.Activation{ActivationID: "long", Name: "act", Start: began + 5}), nil
			},
			logs: func(id string) ([]string, error) {
				if id == "b" && rounds == 3 {
					return nil, errors.New("network")
				}
				return []string{"log of " + id}, nil
			},
		}
		var b strings.Builder
		p := &poller{from: from, out: newPrinter(&b), name: "act", seen: map[string]int64{}}
		if err := p.run(t.Context(), pollFlags{exit: 9}); err != nil {
			t.Fatal(err)
		}
		var order []string
		for l := range strings.Lines(b.String()) {
			if name, ok := strings.CutPrefix(l, "Activation: 'act' ("); ok {
				order = append(order, strings.TrimSuffix(name, ")\n"))
			}
		}
		if got := strings.Join(order, " "); got != "a long b" {
			t.Errorf("shown: %s, want a long b\n%s", got, b.String())
		}
		if rounds != 5 {
			t.Errorf("polled %d times in 9 s", rounds)
		}
		if !strings.HasPrefix(b.String(), "Enter Ctrl-c to exit.\nPolling for activation logs\n\nActivation: ") || !strings.Contains(b.String(), "    \"log of a\"\n") {
			t.Errorf("printed %s", b.String())
		}
	})
}

func TestPollSinceFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []int64
		now := time.Now()
		from := fakeRecords{list: func(q client.ActivationQuery) ([]client.Activation, error) {
			asked = append(asked, q.Since)
			return nil, nil
		}}
		p := &poller{from: from, out: newPrinter(&strings.Builder{}), seen: map[string]int64{}}
		if err := p.run(t.Context(), pollFlags{exit: 1, seconds: 1, minutes: 2, hours: 3, day: 4}); err != nil {
			t.Fatal(err)
		}
		want := now.Add(-99*time.Hour - 2*time.Minute - time.Second).UnixMilli()
		if len(asked) != 1 || asked[0] != want {
			t.Errorf("asked since %d, want %d once", asked, want)
		}
	})
}

func TestPollEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		from := fakeRecords{list: func(client.ActivationQuery) ([]client.Activation, error) { return nil, nil }}
		var b strings.Builder
		p := &poller{from: from, out: newPrinter(&b), seen: map[string]int64{}}
		time.AfterFunc(time.Minute, cancel)
		if err := p.run(ctx, pollFlags{}); exitCode(err) != exitGeneral || !strings.HasSuffix(b.String(), "Poll terminated\n") {
			t.Errorf("a signal gave %v, %s", err, b.String())
		}
		p.from = fakeRecords{list: func(client.ActivationQuery) ([]client.Activation, error) {
			return nil, &client.Error{Status: 401, Message: "no", Code: "t"}
		}}
		if err := p.run(t.Context(), pollFlags{}); exitCode(err) != 145 {
			t.Errorf("a refusal gave %v", err)
		}
	})
}

func TestPollForgets(t *testing.T) {
	p := &poller{first: 5, seen: map[string]int64{"new": 3_600_000, "old": 1000}}
	if got, want := p.since(), int64(3_600_000-600_000); got != want {
		t.Errorf("since %d, want %d", got, want)
	}
	if _, there := p.seen["old"]; there || len(p.seen) != 1 {
		t.Errorf("kept %v", p.seen)
	}
}
