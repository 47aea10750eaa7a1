package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// A stranger who is slow to send a body takes no place among what is in flight.
func TestWebBodyOnItsWay(t *testing.T) {
	w := webWorld(t, "")
	sent := strings.NewReader(`{"a":1}`)
	reading := func(then func()) option {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(readerFunc(func(p []byte) (int, error) {
				w.mu.Lock()
				defer w.mu.Unlock()
				if w.charges != 1 || w.inFlight != 0 {
					t.Errorf("charged %d times, in flight: %d", w.charges, w.inFlight)
				}
				then()
				return sent.Read(p)
			})), sent.Size()
		}
	}
	w.charges = 0
	if a := w.visit("POST", webURL, "", reading(func() {})); a.status != 200 && a.status != 204 {
		t.Errorf("= %d %s", a.status, a.body)
	}
	w.charges = 0
	sent.Reset(`{"a":1}`)
	full := reading(func() { w.refuse = whisk.Errorf(whisk.Throttled, "full") })
	if a := w.visit("POST", webURL, "", full); a.status != 429 || a.text(t) != "full" || w.inFlight != 0 {
		t.Errorf("when there is no place = %d %s", a.status, a.body)
	}
}

func TestWebBodyTime(t *testing.T) {
	for pause, want := range map[time.Duration]int{9 * time.Second: 200, 11 * time.Second: 408} {
		synctest.Test(t, func(t *testing.T) {
			w := webWorld(t, "")
			slow := func(r *http.Request) {
				left := strings.NewReader(`"12345"`)
				r.Body, r.ContentLength = io.NopCloser(iotest.OneByteReader(readerFunc(func(p []byte) (int, error) {
					if left.Len() < 7 {
						time.Sleep(pause)
					}
					return left.Read(p)
				}))), left.Size()
			}
			if a := w.visit("POST", webURL+".json", "", slow, contentType(jsonType)); a.status != want {
				t.Errorf("a body with pauses of %v = %d %s", pause, a.status, a.body)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
