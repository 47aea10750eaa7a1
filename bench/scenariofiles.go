package bench

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

//go:embed scenarios/*.json
var scenarioFiles embed.FS

// maxScenario bounds a scenario's file.
const maxScenario = 1 << 20

// Scenarios returns the scenarios that come with Hearth, in the order of
// their files.
func Scenarios() ([]*Scenario, error) {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		return nil, err
	}
	var list []*Scenario
	for _, e := range entries {
		text, err := scenarioFiles.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, err
		}
		s, err := ParseScenario(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		list = append(list, s)
	}
	return list, nil
}

// FindScenarios returns the scenarios of the names: "all", names of those that
// come with Hearth, and paths of files (with a slash or .json in them).
func FindScenarios(names []string) ([]*Scenario, error) {
	all, err := Scenarios()
	if err != nil {
		return nil, err
	}
	var list []*Scenario
	for _, name := range names {
		switch i := slices.IndexFunc(all, func(s *Scenario) bool { return s.Name == name }); {
		case name == "all":
			list = append(list, all...)
		case i >= 0:
			list = append(list, all[i])
		case strings.ContainsRune(name, '/') || strings.HasSuffix(name, ".json"):
			s, err := readScenario(name)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		default:
			return nil, fmt.Errorf("no scenario is called %q; hearth bench list shows them all", name)
		}
	}
	return list, nil
}

func readScenario(name string) (*Scenario, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxScenario || !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read scenario", Path: name, Err: errors.New("no file of less than 1 MB")}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s, err := ParseScenario(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
