package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"hearth/whisk"
)

// listFlags are the flags of the commands that list a collection.
type listFlags struct {
	skip, limit int
	byName      bool
}

func (l *listFlags) addTo(fs *pflag.FlagSet, what string) {
	fs.IntVarP(&l.skip, "skip", "s", 0, "exclude the first `SKIP` number of "+what+" from the result")
	fs.IntVarP(&l.limit, "limit", "l", 30, "only return `LIMIT` number of "+what+" from the collection")
	addNameSort(fs, &l.byName)
}

func addNameSort(fs *pflag.FlagSet, to *bool) {
	fs.BoolVarP(to, "name-sort", "n", false, "sort by name, within what limit and skip return")
}

// namespaceArg reads the one word that a list may take: "/ns".
func namespaceArg(args []string) (whisk.Namespace, error) {
	if err := wordCount(args, 0, 1, "An optional namespace is the only valid argument."); err != nil || len(args) == 0 {
		return "_", err
	}
	n, err := parseEntityName(args[0])
	if err == nil && n.Name != "" {
		err = refuse(exitGeneral, "An entity name, '%s', was provided instead of a namespace. Valid namespaces are of the following format: /NAMESPACE.", n.entity())
	}
	return n.Namespace, err
}

// sortByName orders entities by namespace and name, in any case.
func sortByName[T any](list []T, name func(*T) string) {
	slices.SortStableFunc(list, func(a, b T) int {
		return cmp.Compare(strings.ToLower(name(&a)), strings.ToLower(name(&b)))
	})
}
