package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"hearth/whisk"
)

// ParameterSealer encrypts values of parameters under a key that the store does
// not have. What was sealed for one namespace cannot be opened for another.
type ParameterSealer interface {
	SealParameter(ns whisk.Namespace, plain []byte) ([]byte, error)
	OpenParameter(ns whisk.Namespace, sealed []byte) ([]byte, error)
}

var errSealedForm = errors.New("a sealed value is a string in base64")

// sealed returns ps as they are to be stored: with the entities' setting every
// value is sealed. Values that a client sends back as it was shown them are
// opened, to know them, and stay sealed; what cannot be opened is an error of
// kind [whisk.BadRequest]. ps itself is not changed.
func (e *Entities) sealed(ns whisk.Namespace, ps whisk.Parameters) (whisk.Parameters, error) {
	if e.sealer == nil {
		return ps, nil
	}
	var out whisk.Parameters // a copy of ps, once it differs
	for i := range ps {
		p := ps[i]
		switch {
		case p.Sealed != nil: // stored like this before
			continue
		case p.Encryption != "":
			if err := openParameter(e.sealer, ns, &p); err != nil {
				return nil, &whisk.Error{Kind: whisk.BadRequest, Err: err,
					Message: fmt.Sprintf("The encrypted value of parameter '%s' cannot be opened. It may be of another namespace: give its plain value.", p.Key)}
			}
		case e.encrypt:
			if err := sealParameter(e.sealer, ns, &p); err != nil {
				return nil, err
			}
		}
		if out == nil {
			out = append(out, ps...)
		}
		out[i] = p
	}
	if out == nil {
		return ps, nil
	}
	return out, nil
}

// opened opens what is sealed of ps, in place.
func (e *Entities) opened(ns whisk.Namespace, ps whisk.Parameters) error {
	if e.sealer == nil {
		return nil
	}
	for i := range ps {
		if ps[i].Encryption != whisk.AES256 { // open, or what nobody here can open
			continue
		}
		if err := openParameter(e.sealer, ns, &ps[i]); err != nil {
			return fmt.Errorf("parameter %q: %w", ps[i].Key, err)
		}
	}
	return nil
}

// sealParameter seals p's value. Null is no secret: it says that there is none.
func sealParameter(s ParameterSealer, ns whisk.Namespace, p *whisk.Parameter) error {
	if string(p.Value) == "null" {
		return nil
	}
	b, err := s.SealParameter(ns, p.Value)
	if err != nil {
		return err
	}
	text := make([]byte, 1, base64.StdEncoding.EncodedLen(len(b))+2)
	text[0] = '"'
	p.Sealed = append(base64.StdEncoding.AppendEncode(text, b), '"')
	p.Encryption = whisk.AES256
	return nil
}

// openParameter opens a value that is in its sealed form.
func openParameter(s ParameterSealer, ns whisk.Namespace, p *whisk.Parameter) error {
	if p.Encryption != whisk.AES256 {
		return fmt.Errorf("unknown encryption %q", p.Encryption)
	}
	text := bytes.TrimSpace(p.Value)
	if len(text) < 2 || text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 {
		return errSealedForm
	}
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text[1:len(text)-1])
	if err != nil {
		return errSealedForm
	}
	plain, err := s.OpenParameter(ns, b)
	if err != nil {
		return err
	}
	p.Sealed, p.Value = text, plain
	return nil
}

// storedForm returns parameters as engines and users may see them.
func storedForm(ps whisk.Parameters) []whisk.Parameter {
	var out []whisk.Parameter
	for i := range ps {
		if ps[i].Sealed == nil {
			continue
		}
		if out == nil {
			out = append(out, ps...)
		}
		out[i].Value = ps[i].Sealed
	}
	if out == nil {
		return ps
	}
	return out
}

// openEntity opens the parameters of an entity that was just decoded.
func (e *Entities) openEntity(v any) error {
	switch v := v.(type) {
	case *whisk.Action:
		return e.opened(v.Name.Namespace, v.Parameters)
	case *whisk.Package:
		return e.opened(v.Name.Namespace, v.Parameters)
	case *whisk.Trigger:
		return e.opened(v.Name.Namespace, v.Parameters)
	}
	return nil
}

// Reseal returns the body of a document with its sealed parameters, opened by
// from, sealed by to. encrypt, if it is not nil, says whether all are sealed
// from now on, or none. Without anything to do the body is returned as it is.
func Reseal(d Doc, from, to ParameterSealer, encrypt *bool) ([]byte, error) {
	var body map[string]json.RawMessage
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return nil, fmt.Errorf("reseal %s: %w", d.Key, err)
	}
	var ps []whisk.Parameter
	if raw := body["parameters"]; raw == nil || d.Collection == Rules {
		return d.Body, nil
	} else if err := json.Unmarshal(raw, &ps); err != nil {
		return nil, fmt.Errorf("reseal %s: %w", d.Key, err)
	}
	changed := false
	for i := range ps {
		p := &ps[i]
		was := p.Encryption != ""
		if was {
			if err := openParameter(from, d.Namespace, p); err != nil {
				return nil, fmt.Errorf("reseal %s: parameter %q: %w", d.Key, p.Key, err)
			}
			p.Sealed, p.Encryption = nil, ""
		}
		if encrypt != nil && *encrypt || encrypt == nil && was {
			if err := sealParameter(to, d.Namespace, p); err != nil {
				return nil, fmt.Errorf("reseal %s: %w", d.Key, err)
			}
		}
		changed = changed || was || p.Sealed != nil
	}
	if !changed {
		return d.Body, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(storedForm(ps)); err != nil {
		return nil, fmt.Errorf("reseal %s: %w", d.Key, err)
	}
	body["parameters"] = bytes.Clone(b.Bytes())
	b.Reset()
	if err := enc.Encode(body); err != nil {
		return nil, fmt.Errorf("reseal %s: %w", d.Key, err)
	}
	return b.Bytes(), nil
}
