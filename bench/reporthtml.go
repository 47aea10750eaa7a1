package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html.tmpl
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

// pageScenario is a scenario as the page shows it.
type pageScenario struct {
	Name                       string
	Rows                       []pageRow
	Ratios, Ladders, Latencies template.HTML // drawings, whose texts are escaped
	Loads                      []pageLoad
}

type pageRow struct {
	Name, Value, Floor, FloorValue, Ratio, Range, Target, Verdict string
	Class                                                         string
}

type pageLoad struct {
	Name    string
	Cells   []string
	Remarks string
}

// WriteHTML writes the report as one page that needs nothing else.
func (r *Report) WriteHTML(w io.Writer) error {
	v := struct {
		Title, Origin, HowToRead, Verdict string
		Notes                             []string
		Scenarios                         []pageScenario
	}{r.title(), r.origin(), howToRead, r.verdict(), r.Notes, nil}
	for _, rows := range r.scenarios() {
		v.Scenarios = append(v.Scenarios, newPageScenario(rows))
	}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func newPageScenario(rows []Row) pageScenario {
	s := pageScenario{
		Name:      rows[0].Scenario,
		Ratios:    template.HTML(plotRatios(rows)),    //nolint:gosec // drawings escape their texts
		Ladders:   template.HTML(plotLadders(rows)),   //nolint:gosec // likewise
		Latencies: template.HTML(plotLatencies(rows)), //nolint:gosec // likewise
	}
	for i := range rows {
		c := rows[i].cells()
		class := rows[i].holds()
		if rows[i].NA != "" {
			class = "na"
		}
		s.Rows = append(s.Rows, pageRow{c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], class})
		if r := rows[i].Result; r != nil && r.Count > 0 {
			s.Loads = append(s.Loads, pageLoad{rows[i].Name, r.cells(), strings.Join(r.remarks(), "; ")})
		}
	}
	return s
}
