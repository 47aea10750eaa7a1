package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the expected reports anew")

func yes(b bool) *bool { return &b }

func sampleReport() *Report {
	r := &Report{
		Title: "all", Version: "v0.1.0", Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: int64(754 * time.Second),
		Host:  Host{System: "linux/amd64", Kernel: "6.1.0", CPU: "Some CPU", Cores: 2, Memory: 4 << 30, Go: "go1.26"},
		Notes: []string{"The server ran with --no-throttle."},
		Rows: []Row{
			{Scenario: "warm", Name: "nodejs c=1, p50", Unit: "µs", Rounds: []float64{250, 251, 260, 249, 255}, Floor: "floor one", FloorRounds: []float64{213, 214, 215, 200, 230}, Result: someResult(250 * time.Microsecond), Step: 1, StepName: "concurrency"},
			{Scenario: "warm", Name: "nodejs c=1, rate", Unit: "calls/s", Rounds: []float64{4000, 4100, 3900}, Floor: "floor one", FloorRounds: []float64{4600, 4700, 4650}, Step: 1, StepName: "concurrency"},
			{Scenario: "warm", Name: "nodejs c=64, rate", Unit: "calls/s", Rounds: []float64{8000, 8100, 7900}, Floor: "floor one", FloorRounds: []float64{12600, 12000, 13000}, Result: someResult(6 * ms), Step: 64, StepName: "concurrency"},
			{Scenario: "warm", Name: "nodejs c=8, rate", Unit: "calls/s", Rounds: []float64{7000, 7100, 6900}, Floor: "floor one", FloorRounds: []float64{11600, 11000, 12000}, Step: 8, StepName: "concurrency"},
			{Scenario: "idle", Name: "memory", Unit: "MB", Rounds: []float64{41.25}, Target: "≤ 60 MB", Holds: yes(true)},
			{Scenario: "triggers", Name: "fan-out", Unit: "calls/s", Target: "≥ 0.5 × floor one", NA: "needs triggers"},
		},
	}
	r.Rows[0].AtMost(1.4)
	r.Rows[1].Settle()
	r.Rows[2].AtLeast(.7)
	r.Rows[3].Settle()
	return r
}

func TestRow(t *testing.T) {
	r := Row{Rounds: []float64{10, 20, 30}, FloorRounds: []float64{10, 10, 0}, Floor: "f"}
	r.AtMost(1.5)
	if r.Ratio != 1.5 || r.RatioLow != 1 || r.RatioHigh != 2 || !*r.Holds || r.Target != "≤ 1.5 × f" {
		t.Errorf("%+v", r)
	}
	r.AtLeast(1.6)
	if *r.Holds || r.Limit != 1.6 {
		t.Errorf("%+v", r)
	}
	none := Row{Rounds: []float64{1}}
	none.AtLeast(1)
	if none.Holds != nil || none.Ratio != 0 || none.Target != "≥ 1 × floor" {
		t.Errorf("%+v", none)
	}
	if !math.IsNaN(new(Row).Value()) || Median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("median")
	}
}

// TestReportText holds the text against testdata; -update writes it anew.
func TestReportText(t *testing.T) {
	var b bytes.Buffer
	if err := sampleReport().WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.Bytes())
	b.Reset()
	if err := someResult(ms).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report-load.txt", b.Bytes())
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	if err := sampleReport().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	r, err := ReadReport(&b)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := r.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	if again.String() != text {
		t.Error("a report does not read back as it was written")
	}
	for _, text := range []string{"", "{}", "[]", `{"rows":[{"result":{"latency":{"digits":3,"buckets":[1]}}}]}`} {
		if _, err := ReadReport(strings.NewReader(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestReportHTML: the page is well formed, holds all plots, takes nothing from
// elsewhere, and shows hostile names as text.
func TestReportHTML(t *testing.T) {
	r := sampleReport()
	const hostile = `<script>alert("x")</script>&'`
	r.Title += hostile
	r.Notes = append(r.Notes, hostile)
	for i := range r.Rows {
		r.Rows[i].Name += hostile
		r.Rows[i].Floor += hostile
		r.Rows[i].Target += hostile
		r.Rows[i].Unit += hostile
		r.Rows[i].StepName += hostile
		if r.Rows[i].NA != "" {
			r.Rows[i].NA += hostile
		}
		if res := r.Rows[i].Result; res != nil {
			res.Errors[hostile] = 1
		}
	}
	r.Rows[0].Scenario += hostile
	for i := range 4 { // the ladder's unit must stay a rate
		r.Rows[i].Unit += "/s"
	}
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("BENCH_TEST_OUT"); dir != "" {
		clean := new(bytes.Buffer)
		if err := errors.Join(sampleReport().WriteHTML(clean), os.WriteFile(filepath.Join(dir, "report.html"), clean.Bytes(), 0o644)); err != nil {
			t.Error(err)
		}
	}
	text := b.String()
	for _, bad := range []string{"<script", "http:", "https:", "url(", "@import", " src="} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	d := xml.NewDecoder(&b)
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	drawings, rects, lines := 0, 0, 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			switch e.Name.Local {
			case "svg":
				drawings++
			case "rect":
				rects++
			case "polyline":
				lines++
			}
		}
	}
	if drawings < 3 || rects != 4 || lines < 4 {
		t.Errorf("%d drawings, %d bars, %d lines", drawings, rects, lines)
	}
}

func TestEmptyReport(t *testing.T) {
	r := &Report{Rows: []Row{{}, {Scenario: "s", Name: "n", Rounds: []float64{0}, FloorRounds: []float64{0}, Result: &Result{}}}}
	for _, write := range []func(io.Writer) error{r.WriteText, r.WriteHTML, r.WriteJSON, new(Report).WriteText, new(Report).WriteHTML} {
		if err := write(io.Discard); err != nil {
			t.Error(err)
		}
	}
}

func TestAxes(t *testing.T) {
	for _, high := range []float64{0, 1e-9, .3, 1, 1.4, 7, 99, 12345, 1e12, math.Inf(1), math.NaN()} {
		a := linearAxis(high, "", figure)
		if len(a.ticks) < 2 || len(a.ticks) > 13 || !math.IsInf(high, 0) && a.high < high {
			t.Errorf("up to %v: ticks %v", high, a.ticks)
		}
	}
	for _, v := range [][2]float64{{1, 1}, {90e3, 120e3}, {1e3, 6e11}, {0, 0}, {1, 1e300}} {
		a := logAxis(v[0], v[1], "", figure)
		if len(a.ticks) < 2 || len(a.ticks) > 45 || a.at(v[0]) < 0 || a.at(v[1]) > 1 {
			t.Errorf("%v: ticks %v", v, a.ticks)
		}
	}
}

func TestProgressLine(t *testing.T) {
	for _, tt := range []struct {
		p    Progress
		want string
	}{
		{Progress{Elapsed: 2100 * ms, Planned: 5 * time.Second, Count: 81234, Rate: 17020, InFlight: 64}, "\r\x1b[Kwarm: 42% · 2.1 s of 5 s · 81,234 answers · 17,020 a second · 64 in flight"},
		{Progress{Warming: true, Elapsed: time.Second, Planned: time.Second, Failed: 3}, "\r\x1b[Kwarm: warming up · 100% · 1 s of 1 s · 0 answers · 0 a second · 0 in flight · 3 failed"},
		{Progress{Elapsed: time.Second, Count: 5, Wanted: 10, Rate: 5}, "\r\x1b[Kwarm: 50% · 1 s · 5 answers · 5 a second · 0 in flight"},
		{Progress{Done: true}, "\r\x1b[K"},
	} {
		var b strings.Builder
		progressLine(&b, "warm", func() int { return 120 })(tt.p)
		if got := b.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
	var b strings.Builder
	progressLine(&b, "warm", func() int { return 10 })(Progress{})
	if want := "\r\x1b[Kwarm: 0 n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	if ProgressLine(os.NewFile(^uintptr(0), "none"), "") != nil {
		t.Error("what is no terminal shows progress")
	}
}
