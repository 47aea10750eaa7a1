package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"hearth/whisk"
)

const (
	// pairSeparator stands between key and value of a joined argument: no
	// argument can contain it by itself.
	pairSeparator = "\x00"

	// maxPairFile bounds a file of parameters or annotations: more than the
	// server takes.
	maxPairFile = 8 << 20

	// maxDepth is how deep JSON may be nested, as at the server.
	maxDepth = 512
)

// pairs are the parameters, or the annotations, of a command line in the order
// in which they were given: by key and value, or by file.
type pairs struct {
	what  string // "parameter", "annotation", "feed parameter" or "trigger parameter"
	items []pairItem
}

type pairItem struct {
	text string
	file bool
}

// addTo adds the flag for pairs and, if it has a letter, the one for files.
func (p *pairs) addTo(fs *pflag.FlagSet, letter, fileLetter string) {
	name := pairNames[p.what]
	fs.VarP(pairFlag{p, false}, name, letter, p.what+" values in `KEY VALUE` format; a VALUE that is JSON is taken as JSON")
	if fileLetter != "" {
		fs.VarP(pairFlag{p, true}, name+"-file", fileLetter, "`FILE` containing "+p.what+" values in JSON format")
	}
}

// pairNames has the flags' names.
var pairNames = map[string]string{
	"parameter": "param", "annotation": "annotation", "feed parameter": "feed-param", "trigger parameter": "trigger-param",
}

// pairFlag collects: what is wrong with an item is said when it is used, in
// wsk's words.
type pairFlag struct {
	to   *pairs
	file bool
}

func (f pairFlag) String() string { return "" }
func (f pairFlag) Type() string   { return "string" }
func (f pairFlag) Set(s string) error {
	f.to.items = append(f.to.items, pairItem{s, f.file})
	return nil
}

// parameters returns the pairs, each key once, the last value standing.
func (p *pairs) parameters() (whisk.Parameters, error) {
	var out whisk.Parameters
	at := map[string]int{}
	add := func(key string, value []byte) {
		if i, ok := at[key]; ok {
			out[i].Value = value
			return
		}
		at[key] = len(out)
		out = append(out, whisk.Parameter{Key: key, Value: value})
	}
	for _, item := range p.items {
		if item.file {
			b, err := readPairFile(item.text)
			if err != nil {
				return nil, failedPair(p.what, item.text, err)
			}
			whisk.Fields(b, func(key string, _, value []byte) bool { add(key, value); return true })
			continue
		}
		key, value, ok := strings.Cut(item.text, pairSeparator)
		if !ok {
			return nil, refuse(exitGeneral, "The %s arguments are invalid: Arguments for '%s' must be a key/value pair", p.what, item.text)
		}
		add(key, jsonValue(value))
	}
	return out, nil
}

// object returns the pairs as one JSON object.
func (p *pairs) object() (json.RawMessage, error) {
	ps, err := p.parameters()
	if err != nil {
		return nil, err
	}
	if len(ps) == 0 {
		return json.RawMessage("{}"), nil
	}
	return ps.Arguments(), nil
}

// jsonValue takes s as JSON if it is JSON, else as a string.
func jsonValue(s string) json.RawMessage {
	if b := []byte(strings.TrimSpace(s)); whisk.CheckJSON(b, maxDepth) == nil {
		return b
	}
	b, err := marshalPlain(s)
	if err != nil {
		return json.RawMessage(`""`) // a string always encodes
	}
	return b
}

// readPairFile reads a file that holds one JSON object.
func readPairFile(name string) ([]byte, error) {
	b, err := readBounded(name, maxPairFile)
	if err != nil {
		return nil, err
	}
	if err := whisk.CheckJSON(b, maxDepth); err != nil {
		return nil, err
	}
	if !whisk.IsObject(b) {
		return nil, errors.New("the file holds no JSON object")
	}
	return b, nil
}

func failedPair(what, file string, err error) error {
	if _, said := errors.AsType[*exitError](err); said {
		return err
	}
	return refuse(exitGeneral, "Invalid %s argument '%s': %w", what, file, err)
}

// readBounded reads a file or pipe of the user's of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	switch {
	case os.IsNotExist(err):
		return nil, refuse(exitUsage, "File '%s' is not a valid file or it does not exist", name)
	case err != nil:
		return nil, refuse(exitUsage, "Cannot access file '%s': %w", name, err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, refuse(exitGeneral, "Unable to read the file '%s': %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, refuse(exitUsage, "The file '%s' is larger than %d bytes", name, limit)
	}
	return b, nil
}
