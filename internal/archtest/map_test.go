package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// place is a package's place on the map. An own import or module that ends in
// "/*" stands for all below it.
type place struct {
	own     []string // packages of Hearth it may import besides whisk, without "hearth/"
	modules []string // third-party packages it alone may import
	pure    bool     // nothing but the standard library
}

// packageMap has a place for every package, those that are still to come
// included. invoker/journal is a part of invoker: it keeps bytes on disk and
// knows nothing of pools and runs. Keys may be patterns of
// [path.Match], of which the longest that matches holds.
var packageMap = map[string]place{
	"whisk":                       {pure: true},
	"api":                         {},
	"auth":                        {},
	"flow":                        {modules: []string{"github.com/robfig/cron/v3"}},
	"router":                      {own: []string{"router/ring"}, modules: []string{"github.com/sony/gobreaker/v2"}},
	"router/ring":                 {modules: []string{"github.com/cespare/xxhash/v2"}, pure: true},
	"wire":                        {},
	"client":                      {},
	"client/deploy":               {own: []string{"client"}, modules: []string{"go.yaml.in/yaml/*"}},
	"gossip":                      {modules: []string{"github.com/hashicorp/memberlist"}},
	"gossip/consul":               {own: []string{"gossip"}, modules: []string{"github.com/hashicorp/consul/api"}},
	"invoker":                     {own: []string{"invoker/sandbox", "invoker/journal"}},
	"invoker/journal":             {},
	"invoker/sandbox":             {},
	"invoker/sandbox/sandboxtest": {own: []string{"invoker/sandbox"}, modules: []string{"pgregory.net/rapid"}},
	"invoker/sandbox/cgroup":      {},
	"invoker/sandbox/netfilter":   {},
	"invoker/sandbox/process":     {own: []string{"invoker/sandbox", "invoker/sandbox/cgroup", "invoker/sandbox/netfilter"}},
	"invoker/sandbox/docker":      {own: []string{"invoker/sandbox", "invoker/sandbox/cgroup", "invoker/sandbox/netfilter"}},
	"invoker/sandbox/wasm":        {own: []string{"invoker/sandbox"}, modules: []string{"github.com/tetratelabs/wazero/*"}},
	"scheduler":                   {},
	"scheduler/nomad":             {own: []string{"scheduler", "jobs"}, modules: []string{"github.com/hashicorp/nomad/api"}},
	"scheduler/local":             {own: []string{"scheduler", "jobs"}},
	"store":                       {},
	"store/sqlite":                {own: []string{"store"}, modules: []string{"modernc.org/sqlite/*"}},
	"store/postgres":              {own: []string{"store"}, modules: []string{"github.com/jackc/pgx/v5/*"}},
	"store/storetest":             {own: []string{"store"}, modules: []string{"pgregory.net/rapid", "github.com/anishathalye/porcupine"}},
	"bench":                       {own: []string{"client"}, modules: []string{"github.com/HdrHistogram/hdrhistogram-go"}},
	"bench/sim":                   {own: []string{"router", "router/ring"}},
	"jobs":                        {pure: true},
	"cmd/hearth":                  {own: []string{"*"}, modules: []string{"github.com/spf13/cobra", "github.com/spf13/pflag"}},
	"examples/*":                  {pure: true},
	"internal/archtest":           {own: []string{"*"}},
	"internal/binary":             {},
	"internal/conformance/*":      {own: []string{"*"}},
	"internal/conformance":        {own: []string{"*"}},
	"internal/e2e":                {own: []string{"*"}},
	"internal/escape":             {own: []string{"*"}},
	"internal/meshtest":           {own: []string{"*"}},
	"internal/npmclient":          {own: []string{"*"}},
	"internal/pgtest":             {modules: []string{"github.com/jackc/pgx/v5/*"}},
}

const (
	module  = "hearth/"
	metrics = "github.com/VictoriaMetrics/metrics"
)

// placeOf returns the place of a package, named without "hearth/".
func placeOf(pkg string) (place, bool) {
	if p, ok := packageMap[pkg]; ok {
		return p, true
	}
	best := ""
	for pattern := range packageMap {
		if ok, _ := path.Match(pattern, pkg); ok && len(pattern) > len(best) {
			best = pattern
		}
	}
	p, ok := packageMap[best]
	return p, ok
}

// objection returns why pkg may not import what it does, "" if it may.
func objection(pkg, imported string) string {
	p, ok := placeOf(pkg)
	if !ok {
		return fmt.Sprintf("package %s is not on the map: find its lines a place in another package, or give it one in internal/archtest/map_test.go", pkg)
	}
	if own, ok := strings.CutPrefix(imported, module); ok {
		return ownObjection(pkg, p, own)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	switch {
	case matches(p.modules, imported):
		return ""
	case p.pure:
		return fmt.Sprintf("%s imports %s: it may use nothing but the standard library%s", pkg, imported, alternatives(p.modules))
	case imported == metrics, strings.HasPrefix(imported, "golang.org/x/"):
		return ""
	}
	for owner, o := range packageMap {
		if matches(o.modules, imported) {
			return fmt.Sprintf("%s imports %s: that is for %s alone; declare a small interface and let cmd/hearth hand it in", pkg, imported, owner)
		}
	}
	return fmt.Sprintf("%s imports %s: no package may; use the standard library, or argue for the module in internal/archtest/map_test.go", pkg, imported)
}

func ownObjection(pkg string, p place, own string) string {
	switch {
	case own == "whisk" && !p.pure, matches(p.own, own):
		return ""
	case p.pure:
		return fmt.Sprintf("%s imports %s: it may import nothing of Hearth's", pkg, own)
	case own == "cmd/hearth":
		return fmt.Sprintf("%s imports %s: that is the binary", pkg, own)
	case strings.HasPrefix(own, "internal/"):
		return fmt.Sprintf("%s imports %s: that is for tests", pkg, own)
	case strings.HasPrefix(own, pkg+"/"):
		return fmt.Sprintf("%s imports %s: an adapter is imported by cmd/hearth and tests only", pkg, own)
	case strings.HasPrefix(pkg, own+"/"):
		return fmt.Sprintf("%s imports %s: a part is blind to its parent", pkg, own)
	}
	return fmt.Sprintf("%s imports %s: siblings meet as a whisk value, or through an interface beside its caller, joined in cmd/hearth", pkg, own)
}

func alternatives(modules []string) string {
	if len(modules) == 0 {
		return ""
	}
	return " and " + strings.Join(modules, ", ")
}

// matches reports whether one of the entries is the name, or ends in "/*" and
// has it below it (or is "*").
func matches(entries []string, name string) bool {
	return slices.ContainsFunc(entries, func(e string) bool {
		all, ok := strings.CutSuffix(e, "*")
		if !ok {
			return e == name
		}
		return strings.HasPrefix(name+"/", all)
	})
}
