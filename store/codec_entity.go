package store

import (
	"bytes"
	"encoding/json"
	"fmt"

	"hearth/whisk"
)

// Entities are stored as JSON. Parameters and annotations stand as plain lists,
// since the API's own encoding of them escapes HTML in users' values.

// entityBody is what all entities have.
type entityBody struct {
	Version     version           `json:"version"`
	Parameters  []whisk.Parameter `json:"parameters,omitempty"`
	Annotations []whisk.Parameter `json:"annotations,omitempty"`
	Publish     bool              `json:"publish,omitempty"`
}

type actionBody struct {
	entityBody
	Exec      whisk.Exec   `json:"exec"`
	Limits    whisk.Limits `json:"limits"`
	Instances *int64       `json:"instances,omitempty"`
}

type packageBody struct {
	entityBody
	Binding *whisk.EntityName `json:"binding,omitempty"`
}

type triggerBody struct {
	entityBody
	Rules []ruleLink `json:"rules,omitempty"`
}

// ruleLink is a whisk.RuleLink as stored.
type ruleLink struct {
	Rule   whisk.EntityName `json:"rule"`
	Action whisk.ActionName `json:"action"`
	Active bool             `json:"active"`
}

type ruleBody struct {
	entityBody
	Trigger whisk.EntityName `json:"trigger"`
	Action  whisk.ActionName `json:"action"`
}

// encode completes a document with its body.
func encode(d Doc, body any) (Doc, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return Doc{}, fmt.Errorf("encode %s of %s: %w", d.Key, d.Collection, err)
	}
	d.Body = b.Bytes()
	return d, nil
}

func encodeAction(a *whisk.Action) (Doc, error) {
	return encode(
		Doc{Key: Key(a.Name), Collection: Actions, Revision: a.Revision, Updated: a.Updated, Code: a.Exec.Code},
		actionBody{entityBody{newVersion(a.Version), storedForm(a.Parameters), a.Annotations, a.Publish}, a.Exec, a.Limits, a.Instances})
}

// encodePackage makes public what strangers may find: bindings are their
// owner's alone.
func encodePackage(p *whisk.Package) (Doc, error) {
	body := packageBody{entityBody: entityBody{newVersion(p.Version), storedForm(p.Parameters), p.Annotations, p.Publish}}
	if !p.Binding.IsZero() {
		body.Binding = &p.Binding
	}
	return encode(Doc{
		Key: entityKey(p.Name), Collection: Packages, Revision: p.Revision, Updated: p.Updated,
		Public: p.Publish && p.Binding.IsZero(),
	}, body)
}

func encodeTrigger(t *whisk.Trigger) (Doc, error) {
	body := triggerBody{entityBody: entityBody{newVersion(t.Version), storedForm(t.Parameters), t.Annotations, t.Publish}}
	for _, l := range t.Rules {
		body.Rules = append(body.Rules, ruleLink(l))
	}
	return encode(Doc{Key: entityKey(t.Name), Collection: Triggers, Revision: t.Revision, Updated: t.Updated}, body)
}

func encodeRule(r *whisk.Rule) (Doc, error) {
	return encode(
		Doc{Key: entityKey(r.Name), Collection: Rules, Revision: r.Revision, Updated: r.Updated},
		ruleBody{entityBody{newVersion(r.Version), nil, r.Annotations, r.Publish}, r.Trigger, r.Action})
}

// decode returns the entity of a document: a *whisk.Action, *whisk.Package,
// *whisk.Trigger or *whisk.Rule; or *whisk.APIs.
func decode(d Doc) (v any, err error) {
	switch d.Collection {
	case Actions:
		v, err = decodeAction(d)
	case Packages:
		v, err = decodePackage(d)
	case Triggers:
		v, err = decodeTrigger(d)
	case Rules:
		v, err = decodeRule(d)
	case APIs:
		v, err = decodeAPIs(d)
	default:
		err = fmt.Errorf("unknown collection %q", d.Collection)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s of %s: %w: %w", d.Key, d.Collection, whisk.ErrCorrupted, err)
	}
	return v, nil
}

func decodeAction(d Doc) (*whisk.Action, error) {
	var b actionBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, err
	}
	return &whisk.Action{
		Name: whisk.ActionName(d.Key), Version: b.Version.whisk(), Exec: b.Exec,
		Parameters: b.Parameters, Annotations: b.Annotations,
		Limits: b.Limits, Instances: b.Instances, Publish: b.Publish, Updated: d.Updated, Revision: d.Revision,
	}, nil
}

func decodePackage(d Doc) (*whisk.Package, error) {
	var b packageBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, err
	}
	p := &whisk.Package{
		Name: entityName(d.Key), Version: b.Version.whisk(), Parameters: b.Parameters, Annotations: b.Annotations,
		Publish: b.Publish, Updated: d.Updated, Revision: d.Revision,
	}
	if b.Binding != nil {
		p.Binding = *b.Binding
	}
	return p, nil
}

func decodeTrigger(d Doc) (*whisk.Trigger, error) {
	var b triggerBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, err
	}
	t := &whisk.Trigger{
		Name: entityName(d.Key), Version: b.Version.whisk(), Parameters: b.Parameters, Annotations: b.Annotations,
		Publish: b.Publish, Updated: d.Updated, Revision: d.Revision,
	}
	for _, l := range b.Rules {
		t.Rules = append(t.Rules, whisk.RuleLink(l))
	}
	return t, nil
}

func decodeRule(d Doc) (*whisk.Rule, error) {
	var b ruleBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, err
	}
	return &whisk.Rule{
		Name: entityName(d.Key), Trigger: b.Trigger, Action: b.Action, Version: b.Version.whisk(),
		Annotations: b.Annotations, Publish: b.Publish, Updated: d.Updated, Revision: d.Revision,
	}, nil
}

func entityKey(n whisk.EntityName) Key { return Key{Namespace: n.Namespace, Name: n.Name} }

func entityName(k Key) whisk.EntityName {
	return whisk.EntityName{Namespace: k.Namespace, Name: k.Name}
}
