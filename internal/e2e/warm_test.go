package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

const summing = `
const crypto = require('crypto');
async function main(p) {
  const id = process.env.__OW_ACTIVATION_ID;
  console.log('nonce ' + p.nonce);
  await new Promise(done => setTimeout(done, Math.random() * 20));
  return { sum: crypto.createHash('sha256').update(id + p.payload).digest('hex') };
}`

// TestWarmInvokes: under concurrent load each answer belongs to its request,
// and the record, its result and its logs tell the same story.
func TestWarmInvokes(t *testing.T) {
	p := start(t, "--no-throttle", "--memory", "4096")
	p.create("sum", "nodejs:default", summing, map[string]any{"memory": 128})
	calls := size(400, 10_000)
	work := make(chan int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for i := range work {
				if err := checkSum(p, i); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
	for i := range calls {
		work <- i
	}
	close(work)
	wg.Wait()
	if n := p.do("GET", "activations?count=true&name=sum", nil).decode(t)["activations"]; n != float64(calls) {
		t.Errorf("%v records of %d calls", n, calls)
	}
}

func checkSum(p *platform, i int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	nonce := fmt.Sprintf("%08x", i*2654435761)
	payload := strings.Repeat(nonce, 1+i%50)
	a, err := p.try(ctx, "POST", "actions/sum?blocking=true", map[string]any{"payload": payload, "nonce": nonce})
	if err != nil {
		return err
	}
	if a.status != 200 {
		return fmt.Errorf("status %d: %s", a.status, a.body)
	}
	id := a.id()
	sum := sha256.Sum256([]byte(id + payload))
	want := `"sum":"` + hex.EncodeToString(sum[:]) + `"`
	for _, part := range []struct{ path, want string }{
		{"", want}, {"", `"activationId":"` + id + `"`}, {"/result", want}, {"/logs", " stdout: nonce " + nonce}, {"", " stdout: nonce " + nonce},
	} {
		got, err := p.try(ctx, "GET", "activations/"+id+part.path, nil)
		if err != nil {
			return err
		}
		if got.status != 200 || !strings.Contains(string(got.body), part.want) {
			return fmt.Errorf("activation %s%s: status %d, want %s in %s", id, part.path, got.status, part.want, got.body)
		}
	}
	if !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), id) {
		return fmt.Errorf("answer of %s: want %s in %s", id, want, a.body)
	}
	return nil
}
