package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"fmt"

	"hearth/whisk"
)

// catalogFiles are the packages of whisk.system: catalog.json says what there
// is, PACKAGE/ACTION.js is an action's code.
//
//go:embed catalog
var catalogFiles embed.FS

// systemNamespace holds the packages that everybody may use.
const systemNamespace whisk.Namespace = "whisk.system"

// catalogPackage and catalogAction are entries of catalog.json. Objects keep
// their order, since users see it.
type catalogPackage struct {
	Name        string          `json:"name"`
	Annotations ordered         `json:"annotations"`
	Parameters  ordered         `json:"parameters"`
	Actions     []catalogAction `json:"actions"`
}

type catalogAction struct {
	Name        string  `json:"name"`
	Builtin     string  `json:"builtin"` // what of the platform answers it; "": it has code
	Annotations ordered `json:"annotations"`
	Parameters  ordered `json:"parameters"`
}

// ordered reads an object as parameters in its order.
type ordered whisk.Parameters

func (o *ordered) UnmarshalJSON(b []byte) error {
	*o = nil
	var err error
	whisk.Fields(b, func(key string, _, value []byte) bool {
		var v bytes.Buffer
		if err = json.Compact(&v, value); err != nil {
			return false
		}
		*o = append(*o, whisk.Parameter{Key: key, Value: v.Bytes()})
		return true
	})
	return err
}

// catalog is what whisk.system should hold.
type catalog struct {
	packages []*whisk.Package
	actions  []*whisk.Action
	codes    map[whisk.Digest][]byte
	digest   string // of all this
}

// newCatalog returns the catalogue for a platform whose nodejs actions are of
// that kind; "" leaves out whatever needs one.
func newCatalog(nodejs string) (*catalog, error) {
	text, err := catalogFiles.ReadFile("catalog/catalog.json")
	if err != nil {
		return nil, err
	}
	var list []catalogPackage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("catalog.json: %w", err)
	}
	c := &catalog{codes: map[whisk.Digest][]byte{}}
	for _, p := range list {
		if err := c.add(p, nodejs); err != nil {
			return nil, fmt.Errorf("catalogue, package %s: %w", p.Name, err)
		}
	}
	b, err := json.Marshal([]any{c.packages, c.actions})
	if err != nil {
		return nil, err
	}
	c.digest = fmt.Sprintf("%x", sha256.Sum256(b))
	return c, nil
}

func (c *catalog) add(p catalogPackage, nodejs string) error {
	before := len(c.actions)
	for _, a := range p.Actions {
		action := &whisk.Action{
			Name:       whisk.ActionName{Namespace: systemNamespace, Package: p.Name, Name: a.Name},
			Version:    firstVersion,
			Parameters: whisk.Parameters(a.Parameters), Publish: false,
		}
		if a.Builtin != "" {
			action.Exec = whisk.Exec{Kind: whisk.Builtin, Main: a.Builtin}
		} else if nodejs == "" {
			continue
		} else {
			code, err := catalogFiles.ReadFile("catalog/" + p.Name + "/" + a.Name + ".js")
			if err != nil {
				return err
			}
			digest := whisk.Digest(sha256.Sum256(code))
			c.codes[digest] = code
			action.Exec = whisk.Exec{Kind: nodejs, Code: digest, Size: int64(len(code))}
		}
		annotations := whisk.Parameters(a.Annotations)
		if _, given := annotations.Get("provide-api-key"); !given {
			annotations = annotations.Set("provide-api-key", json.RawMessage("false"))
		}
		kind, err := json.Marshal(action.Exec.Kind)
		if err != nil {
			return err
		}
		action.Annotations = annotations.Set("exec", kind)
		c.actions = append(c.actions, action)
	}
	if len(c.actions) == before {
		return nil
	}
	c.packages = append(c.packages, &whisk.Package{
		Name: whisk.EntityName{Namespace: systemNamespace, Name: p.Name}, Version: firstVersion,
		Parameters: whisk.Parameters(p.Parameters), Annotations: whisk.Parameters(p.Annotations), Publish: true,
	})
	return nil
}

var firstVersion = whisk.Version{Patch: 1}
