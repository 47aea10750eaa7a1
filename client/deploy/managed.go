package deploy

import (
	"crypto/sha1" //nolint:gosec // wskdeploy's, to tell two texts apart
	"encoding/hex"
	"encoding/json"

	"hearth/whisk"
)

// managedKey is the annotation that marks what belongs to a project.
const managedKey = "whisk-managed"

// managed is the annotation's value.
type managed struct {
	File    string            `json:"file"`
	Deps    []json.RawMessage `json:"projectDeps"`
	Hash    string            `json:"projectHash"` // of the manifest: what a sync put last has its own
	Project string            `json:"projectName"`
}

// newManaged marks what a manifest's text describes, with the hash that
// wskdeploy would give it.
func newManaged(project, file string, text []byte) managed {
	h := sha1.New() //nolint:gosec // see above
	h.Write([]byte("OpenWhisk" + string(rune(len(text))) + "golang\x00"))
	h.Write(text)
	return managed{File: file, Deps: []json.RawMessage{}, Hash: hex.EncodeToString(h.Sum(nil)), Project: project}
}

// managedBy returns the mark among annotations, zero if there is none.
func managedBy(annotations []whisk.Parameter) managed {
	raw, _ := whisk.Parameters(annotations).Get(managedKey)
	var m managed
	if json.Unmarshal(raw, &m) != nil {
		return managed{}
	}
	return m
}

// on adds the mark to annotations, if there is one.
func (m managed) on(annotations whisk.Parameters) whisk.Parameters {
	if m.Project == "" {
		return annotations
	}
	raw, err := marshal(m)
	if err != nil {
		return annotations // a struct of texts always encodes
	}
	return annotations.Set(managedKey, raw)
}
