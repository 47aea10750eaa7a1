// Wordfreq is an action as a native executable: it reads its arguments as JSON
// from standard input and prints its result as the last line of standard
// output; the lines before it are logs.
//
//	CGO_ENABLED=0 go build -o wordfreq ./examples/wordfreq
//	hearth action create wordfreq-go wordfreq --native
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"sort"
	"strings"
)

var word = regexp.MustCompile(`[a-z']+`)

func main() {
	in := struct {
		Text string `json:"text"`
		Top  int    `json:"top"`
	}{Top: 5}
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fmt.Printf("{\"error\":%q}\n", "arguments: "+err.Error())
		return
	}
	words := word.FindAllString(strings.ToLower(in.Text), -1)
	count := map[string]int{}
	for _, w := range words {
		count[w]++
	}
	order := make([]string, 0, len(count))
	for w := range count {
		order = append(order, w)
	}
	sort.Slice(order, func(i, j int) bool {
		a, b := order[i], order[j]
		return count[a] > count[b] || count[a] == count[b] && a < b
	})
	top := map[string]int{}
	for _, w := range order[:min(max(in.Top, 0), len(order))] {
		top[w] = count[w]
	}
	fmt.Printf("%s counted %d words\n", runtime.Version(), len(words))
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"words": len(words), "distinct": len(count), "top": top}); err != nil {
		os.Exit(1)
	}
}
