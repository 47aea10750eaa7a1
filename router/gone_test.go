package router

import (
	"context"
	"errors"
	"testing"

	"hearth/whisk"
)

type knows struct {
	Invoker
	state whisk.CallState
	err   error
}

func (k knows) Lookup(context.Context, whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	return k.state, nil, k.err
}

func (knows) Unacked(context.Context, int) ([]*whisk.Activation, error) { return nil, nil }

func TestGone(t *testing.T) {
	tests := []struct {
		name string
		b    knows
		want bool
	}{
		{"nobody knows it", knows{}, true},
		{"one runs it", knows{state: whisk.RunningCall}, false},
		{"one has its record", knows{state: whisk.FinishedCall}, false},
		{"one does not answer", knows{err: errors.New("away")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := New(DefaultConfig(), nil, discard{})
			r.Join(whisk.Hello{ID: "a"}, knows{})
			r.Join(whisk.Hello{ID: "b"}, tt.b)
			if got := r.Gone(t.Context(), whisk.NewActivationID()); got != tt.want {
				t.Errorf("Gone = %t, want %t", got, tt.want)
			}
		})
	}
}
