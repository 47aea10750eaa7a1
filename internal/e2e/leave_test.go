package e2e

import (
	"context"
	"testing"
	"time"
)

// TestLeavingCancelsNothing: neither a blocking wait that ends nor a client
// that goes away stops a run.
func TestLeavingCancelsNothing(t *testing.T) {
	p := start(t)
	p.create("slow", "nodejs:default", `
		const main = p => new Promise(done => setTimeout(() => { console.log('slept ' + p.who); done({ who: p.who }); }, 3000));`, nil)

	a := p.do("POST", "actions/slow?blocking=true&timeout=500", map[string]any{"who": "waited"})
	if a.status != 202 || a.decode(t)["activationId"] != a.id() || a.id() == "" {
		t.Errorf("status %d, body %s; want 202 with the id", a.status, a.body)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if got, err := p.try(ctx, "POST", "actions/slow?blocking=true", map[string]any{"who": "left"}); err == nil {
		t.Errorf("answered before the client left: %d", got.status)
	}

	if status, result := response(t, p.record(a.id(), 20*time.Second)); status != "success" || result.(map[string]any)["who"] != "waited" {
		t.Errorf("record of the waiting call: %s %v", status, result)
	}
	deadline := time.Now().Add(20 * time.Second)
	for p.do("GET", "activations?count=true", nil).decode(t)["activations"] != 2.0 && time.Now().Before(deadline) {
		<-time.After(50 * time.Millisecond)
	}
	var who []string
	for _, id := range p.ids() {
		status, result := response(t, p.record(id, time.Second))
		if status != "success" {
			t.Errorf("%s: %s %v", id, status, result)
		}
		who = append(who, result.(map[string]any)["who"].(string))
	}
	if len(who) != 2 || who[0] == who[1] {
		t.Errorf("records of %v, want one of the call that waited and one of the call that left", who)
	}
}
