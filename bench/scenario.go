package bench

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scenario is one file of bench/scenarios: cases that are measured in turn,
// round after round, and the figures wanted of them.
type Scenario struct {
	Name  string `json:"name"`
	Title string `json:"title"` // one line
	About string `json:"about"` // what it shows, and how it is done
	Needs string `json:"needs"` // what the platform lacks for it: its rows are "n/a"
	Cases []Case `json:"cases"`
}

// Case is one load on one server.
type Case struct {
	Name string `json:"name"` // within the scenario

	// On is what the load goes to: "" is Hearth, "floor NAME" a floor alone.
	On string `json:"on"`
	// Server says how the Hearth server differs from a plain `hearth up`.
	Server Server `json:"server"`

	Do      string     `json:"do"`      // what each request does, see the constants; "" is DoInvoke
	Kind    string     `json:"kind"`    // of the actions, its family: "nodejs" (the default), "python", "go", "native"
	Actions int        `json:"actions"` // how many there are, 0 is 1; DoCold: how many a round
	Memory  int        `json:"memory"`  // MB of each action, 0 is the server's default
	Zipf    float64    `json:"zipf"`    // exponent of the actions' popularity; 0 is even
	Payload int        `json:"payload"` // bytes of a request's body, at least MinPayload
	Record  bool       `json:"record"`  // ask for whole records, for the phases and kinds of start
	Trace   *TraceLaws `json:"trace"`   // arrivals, actions and run times by the laws of a published study
	Load    Load       `json:"load"`
	Beside  *Beside    `json:"beside"` // load of a neighbour that is not measured itself

	Figures []Figure `json:"figures"`

	// Lists that make a case of each of their elements.
	Kinds    []string `json:"kinds"`
	Ladder   []int    `json:"ladder"` // concurrencies
	Payloads []int    `json:"payloads"`

	step      float64 // of a ladder or of payloads
	stepName  string
	neighbour bool // it is the load beside the case
	rung      bool // neither the first nor the last of them
}

// What requests do.
const (
	DoInvoke = "invoke" // blocking, answered by the result (or the record)
	DoAPI    = "api"    // GET /api/v1, which runs nothing
	DoCold   = "cold"   // blocking, each of an action that never ran before
	DoSubmit = "submit" // not blocking; measured until all records are there
	DoAccept = "accept" // not blocking; measured until all are accepted
	DoFire   = "fire"   // fires of a trigger with a rule for each action; measured until all records are there
	DoIdle   = "idle"   // nothing at all
)

// MinPayload is the least body that tells requests apart.
const MinPayload = 40

// Server says how a server that bench starts differs from `hearth up`.
type Server struct {
	Store  string `json:"store,omitempty"`  // "none": in memory, records are dropped; "postgres"
	Hold   bool   `json:"hold,omitempty"`   // no queued call is run
	Split  string `json:"split,omitempty"`  // router and invoker apart: "unix" socket, or "tls"
	Memory int    `json:"memory,omitempty"` // MB for all sandboxes, 0 is its default
	Name   string `json:"name,omitempty"`   // cases with another name have a server of their own
}

func (s Server) String() string {
	what := "hearth up"
	if s.Split != "" {
		what = "hearth router + invoker (" + s.Split + ")"
	}
	if s.Store != "" {
		what += " --store " + s.Store
	}
	if s.Hold {
		what += " --hold-queue"
	}
	if s.Memory != 0 {
		what += fmt.Sprintf(" --memory %d", s.Memory)
	}
	return what
}

// Load is a case's plan, relative to what the command line says.
type Load struct {
	Arrival     Arrival `json:"arrival"`     // "" is closed
	Concurrency int     `json:"concurrency"` // closed: clients, 0 is 1
	Rate        float64 `json:"rate"`        // open: requests per second
	Count       int64   `json:"count"`       // requests; 0 is as many as the time allows
	Share       float64 `json:"share"`       // of --duration, 0 is 1
	// RateOf takes the rate from another case's throughput in the same round.
	RateOf *RateOf `json:"rateOf"`
}

// RateOf is a share of the throughput that a case of the scenario had.
type RateOf struct {
	Case  string  `json:"case"`
	Times float64 `json:"times"`
}

// Beside is a neighbour: a closed loop on another action of the same kind
// while the case is measured.
type Beside struct {
	Concurrency int `json:"concurrency"`
	Payload     int `json:"payload"`
}

// Figure is one number wanted of a case.
type Figure struct {
	// What is measured, see figureUnits; "cpu" and "rss" take a process's
	// label as well: "cpu router".
	What string `json:"what"`
	Name string `json:"name"` // how the row is called, "" is What

	// Over is what the figure is set against: "floor NAME", under the same
	// load in the same round; "case NAME" of the scenario; or another figure
	// of the same case, such as "p50". OverWhat is what is taken of it, ""
	// the same.
	Over     string `json:"over"`
	OverWhat string `json:"overWhat"`
	// Less is a case whose same figure is taken off first.
	Less string `json:"less"`

	// The target: a bound on the ratio, or on the figure itself where there is
	// nothing it is set against. In the unit of the row.
	AtMost  *float64 `json:"atMost"`
	AtLeast *float64 `json:"atLeast"`
}

// figureUnits are the figures and their units.
var figureUnits = map[string]string{
	"p50": "µs", "p90": "µs", "p99": "µs", "p99.9": "µs", "mean": "µs", "max": "µs", // latency
	"wait p50": "ms", "init p50": "ms", "run p50": "ms", // from records
	"cold p50": "ms", "cold p99": "ms", // latency of cold starts alone
	"rate":   "calls/s",
	"bytes":  "MB/s",
	"cpu":    "µs/call", // of all server processes or the one named
	"busy":   "%",       // of one core, of all server processes
	"rss":    "MB",
	"colds":  "%",      // share of calls that started cold
	"errors": "errors", // failed requests
}

// ParseScenario reads a scenario's file. Unknown fields are mistakes.
func ParseScenario(text []byte) (*Scenario, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	s := new(Scenario)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	if d.More() {
		return nil, errors.New("scenario: text follows the object")
	}
	if s.Name == "" || strings.ContainsAny(s.Name, "/ \t\n") {
		return nil, fmt.Errorf("scenario: the name %q must be one word", s.Name)
	}
	s.expand()
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return s, nil
}

// expand makes a case of each element of a case's lists, and sets defaults.
func (s *Scenario) expand() {
	var out []Case
	for _, c := range s.Cases {
		out = append(out, c.expanded()...)
	}
	s.Cases = out
}

func (c Case) expanded() []Case {
	c.Do = cmp.Or(c.Do, DoInvoke)
	c.Kind = cmp.Or(c.Kind, "nodejs")
	c.Load.Arrival = cmp.Or(c.Load.Arrival, Closed)
	c.Load.Share = cmp.Or(c.Load.Share, 1)
	c.Actions = cmp.Or(c.Actions, 1)
	c.Payload = cmp.Or(c.Payload, 64)
	if c.Trace != nil {
		c.Load.Arrival = "trace"
	}
	if c.Load.Arrival == Closed {
		c.Load.Concurrency = cmp.Or(c.Load.Concurrency, 1)
	}
	out := []Case{c}
	out = each(out, c.Kinds, func(c *Case, k string) { c.Kind = k; c.title("%s", k) })
	between := func(list []int, n int) bool { return n != list[0] && n != list[len(list)-1] }
	out = each(out, c.Ladder, func(c *Case, n int) {
		c.rung = between(c.Ladder, n)
		c.Load.Concurrency, c.step, c.stepName = n, float64(n), "concurrency"
		c.title("c=%d", n)
	})
	return each(out, c.Payloads, func(c *Case, n int) {
		c.rung = c.rung || between(c.Payloads, n)
		c.Payload, c.step, c.stepName = n, float64(n), "bytes"
		c.title("%s", byteText(n))
	})
}

// each makes copies of the cases, one for each element.
func each[E any](cases []Case, elements []E, set func(*Case, E)) []Case {
	if len(elements) == 0 {
		return cases
	}
	var out []Case
	for _, c := range cases {
		for _, e := range elements {
			one := c
			one.Figures = slices.Clone(c.Figures)
			set(&one, e)
			out = append(out, one)
		}
	}
	return out
}

// title adds to the name, and puts the kind into the names of floors.
func (c *Case) title(format string, v any) {
	c.Name = strings.TrimSpace(c.Name + " " + fmt.Sprintf(format, v))
	for i := range c.Figures {
		c.Figures[i].Over = strings.ReplaceAll(c.Figures[i].Over, "{kind}", c.Kind)
	}
}

func byteText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// plan returns the plan of one round.
func (l Load) plan(d, warmup time.Duration, seed uint64) Plan {
	p := Plan{Arrival: l.Arrival, Concurrency: l.Concurrency, Rate: l.Rate, Count: l.Count, Seed: seed, Warmup: warmup}
	if l.Count == 0 {
		p.Duration = time.Duration(float64(d) * l.Share)
	}
	return p
}

// cutFloor returns the name in "floor NAME".
func cutFloor(s string) (string, bool) { return strings.CutPrefix(s, "floor ") }

// String says what the figure is and what it is held against.
func (f Figure) String() string {
	s := f.title()
	switch {
	case f.AtMost != nil:
		s += " ≤ " + figure(*f.AtMost)
	case f.AtLeast != nil:
		s += " ≥ " + figure(*f.AtLeast)
	case f.Over != "":
		return s + " against " + f.Over
	}
	if f.Over != "" {
		return s + " × " + f.Over
	}
	return s
}
