package bench

import (
	"sync"
	"time"

	"hearth/whisk"
)

// sample is a request that was answered. Times count from the end of the
// warm-up.
type sample struct {
	due, sent, end time.Duration
	hit            Hit
}

// Bounds on what is kept.
const (
	maxClasses = 100  // of errors; the rest is "other"
	maxKeys    = 1024 // of hits; the rest is "other"
	otherKey   = "other"
	keyDigits  = 2
)

// recorder gathers samples into a result.
type recorder struct {
	window time.Duration // answers later than this are not Completed; 0 none are

	mu     sync.Mutex // guards what follows
	result *Result
	last   time.Duration // the latest end
}

func newRecorder(p Plan) *recorder {
	return &recorder{window: p.Duration, result: &Result{
		Plan:    p,
		Latency: NewHistogram(),
		Starts:  map[string]int64{},
		Errors:  map[string]int64{},
	}}
}

// batch is one client's samples on their way to the recorder: a lock is taken
// once for many.
type batch struct {
	to      *recorder
	samples []sample
}

// newBatch sizes the batches so that those of all clients stay small.
func (r *recorder) newBatch(clients int) *batch {
	return &batch{to: r, samples: make([]sample, 0, min(max((1<<14)/max(clients, 1), 1), 128))}
}

func (b *batch) add(s sample) {
	b.samples = append(b.samples, s)
	if len(b.samples) == cap(b.samples) {
		b.flush()
	}
}

func (b *batch) flush() {
	b.to.mu.Lock()
	defer b.to.mu.Unlock()
	for i := range b.samples {
		b.to.add(&b.samples[i])
	}
	b.samples = b.samples[:0]
}

// add is called under the lock.
func (r *recorder) add(s *sample) {
	res := r.result
	if s.hit.Class == "" && s.end >= 0 && (r.window == 0 && s.due >= 0 || s.end <= r.window) {
		res.Completed++
	}
	if s.due < 0 {
		return // of the warm-up
	}
	r.last = max(r.last, s.end)
	res.Count++
	latency := s.end - s.due
	if res.Plan.Arrival != Closed {
		observe(&res.Lag, s.sent-s.due)
	}
	if s.hit.Class != "" {
		res.Errors[bounded(res.Errors, s.hit.Class, maxClasses)]++
		observe(&res.Failed, latency)
		return
	}
	res.Bytes += s.hit.Bytes
	res.Latency.Record(latency)
	r.addPhases(&s.hit, s.end-s.sent)
	if s.hit.Key != "" {
		if res.Keys == nil {
			res.Keys = map[string]*Histogram{}
		}
		k := bounded(res.Keys, s.hit.Key, maxKeys)
		if res.Keys[k] == nil {
			res.Keys[k] = newHistogram(keyDigits)
		}
		res.Keys[k].Record(latency)
	}
}

// addPhases records what the activation's record says of the time a request
// took once it was sent.
func (r *recorder) addPhases(h *Hit, took time.Duration) {
	res := r.result
	if h.Start != whisk.NoStart {
		res.Starts[h.Start.String()]++
	} else if h.Wait == 0 && h.Init == 0 && h.Run == 0 {
		return
	}
	observe(&res.Network, took-h.Wait-h.Init-h.Run)
	observe(&res.Wait, h.Wait)
	if h.Init > 0 {
		observe(&res.Init, h.Init)
	}
	observe(&res.RunTime, h.Run)
}

func observe(h **Histogram, d time.Duration) {
	if *h == nil {
		*h = NewHistogram()
	}
	(*h).Record(d)
}

// bounded returns the key, or otherKey if the map has no place for a new one.
func bounded[V any](m map[string]V, key string, most int) string {
	if _, ok := m[key]; !ok && len(m) >= most {
		return otherKey
	}
	return key
}
