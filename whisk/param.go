package whisk

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Parameter is one default parameter of an action, package or trigger, or one
// annotation (which uses only Key and Value). Value is raw JSON, never nil
// once decoded; "null" declares the parameter without defining it.
type Parameter struct {
	Key        string          `json:"key"`
	Value      json.RawMessage `json:"value"`
	Init       bool            `json:"init,omitempty"`       // goes to the environment, not to the arguments
	Encryption string          `json:"encryption,omitempty"` // how the value is stored, such as [AES256]; "" is open

	// Sealed is the stored form of an encrypted value, a JSON string: the one
	// that users are shown. Value is the open one. Where it is nil, Value itself
	// has the form that Encryption says.
	Sealed json.RawMessage `json:"-"`
}

// AES256 is the encryption of values that are sealed for their namespace under
// the platform's master key.
const AES256 = "aes-256"

// SealedOverhead is how many bytes longer a value gets by sealing, before it is
// written in base64.
const SealedOverhead = 45

// Shown returns the value as users may see it.
func (p *Parameter) Shown() json.RawMessage {
	if p.Sealed != nil {
		return p.Sealed
	}
	return p.Value
}

// Size is what the parameter size limit counts: the bytes of key and value. Of
// an encrypted value those of the open form count, as nobody chose the other.
func (p *Parameter) Size() int64 {
	n := len(p.Value)
	if p.Encryption != "" && p.Sealed == nil {
		text := bytes.TrimRight(bytes.Trim(p.Value, `"`), "=")
		n = max(0, len(text)*3/4-SealedOverhead)
	}
	return int64(len(p.Key) + n)
}

// Parameters is a list of parameters or annotations in which each key stands
// once.
type Parameters []Parameter

// UnmarshalJSON reads OpenWhisk's array of {key, value}. Of equal keys the
// last wins, in the place of the first.
func (ps *Parameters) UnmarshalJSON(b []byte) error {
	malformed := Errorf(BadRequest, "parameters malformed!")
	if len(b) == 0 || b[0] != '[' {
		return malformed
	}
	var rows []struct {
		Key        *string         `json:"key"`
		Value      json.RawMessage `json:"value"`
		Init       bool            `json:"init"`
		Encryption *string         `json:"encryption"`
	}
	if err := json.Unmarshal(b, &rows); err != nil {
		return malformed
	}
	out := make(Parameters, 0, len(rows))
	at := make(map[string]int, len(rows))
	for _, r := range rows {
		if r.Key == nil || r.Value == nil {
			return malformed
		}
		p := Parameter{Key: *r.Key, Value: r.Value, Init: r.Init}
		if r.Encryption != nil {
			p.Encryption = *r.Encryption
		}
		if i, ok := at[p.Key]; ok {
			out[i] = p
			continue
		}
		at[p.Key] = len(out)
		out = append(out, p)
	}
	*ps = out
	return nil
}

// MarshalJSON writes [] for an empty list, never null.
func (ps Parameters) MarshalJSON() ([]byte, error) {
	if len(ps) == 0 {
		return []byte("[]"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // values pass unchanged
	if err := e.Encode([]Parameter(ps)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Get returns the raw value of key.
func (ps Parameters) Get(key string) (json.RawMessage, bool) {
	for i := range ps {
		if ps[i].Key == key {
			return ps[i].Value, true
		}
	}
	return nil, false
}

// Truthy reports whether key is there with a value other than false, 0, "" or
// null.
func (ps Parameters) Truthy(key string) bool {
	v, ok := ps.Get(key)
	if !ok {
		return false
	}
	switch s := string(bytes.TrimSpace(v)); s {
	case "false", "null", `""`, "":
		return false
	default:
		n, err := strconv.ParseFloat(s, 64) // texts are quoted, so they never are numbers
		return err != nil || n != 0
	}
}

// Set returns a copy of ps in which key has the value.
func (ps Parameters) Set(key string, value json.RawMessage) Parameters {
	return ps.Merge(Parameters{{Key: key, Value: value}})
}

// Without returns a copy of ps that lacks the keys.
func (ps Parameters) Without(keys ...string) Parameters {
	drop := make(map[string]bool, len(keys)) // users choose how many there are
	for _, k := range keys {
		drop[k] = true
	}
	out := make(Parameters, 0, len(ps))
	for _, p := range ps {
		if !drop[p.Key] {
			out = append(out, p)
		}
	}
	return out
}

// Merge returns ps with over laid on it: over's parameters replace those of
// equal key whole, its others follow.
func (ps Parameters) Merge(over Parameters) Parameters {
	out := make(Parameters, len(ps), len(ps)+len(over))
	copy(out, ps)
	at := make(map[string]int, len(out))
	for i := range out {
		at[out[i].Key] = i
	}
	for _, p := range over {
		if i, ok := at[p.Key]; ok {
			out[i] = p
			continue
		}
		at[p.Key] = len(out)
		out = append(out, p)
	}
	return out
}

// Inherit returns ps laid over base, as Merge does; where one of them is empty
// it is the other itself, no copy.
func (ps Parameters) Inherit(base Parameters) Parameters {
	switch {
	case len(base) == 0:
		return ps
	case len(ps) == 0:
		return base
	}
	return base.Merge(ps)
}

// Size is what the parameter size limit counts, see [Parameter.Size].
func (ps Parameters) Size() int64 {
	var n int64
	for i := range ps {
		n += ps[i].Size()
	}
	return n
}

// Arguments returns the parameters that are passed as arguments as one JSON
// object, nil if there are none.
func (ps Parameters) Arguments() json.RawMessage {
	var b bytes.Buffer
	for i := range ps {
		if ps[i].Init {
			continue
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		writeJSONString(&b, ps[i].Key)
		b.WriteByte(':')
		b.Write(ps[i].Value)
	}
	if b.Len() == 0 {
		return nil
	}
	b.WriteByte('}')
	return b.Bytes()
}

// Environment returns the init parameters as one JSON object of strings, nil
// if there are none: strings as they are, null as "", other values as their
// compact JSON text.
func (ps Parameters) Environment() json.RawMessage {
	var b bytes.Buffer
	for i := range ps {
		if !ps[i].Init {
			continue
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		writeJSONString(&b, ps[i].Key)
		b.WriteByte(':')
		switch v := bytes.TrimSpace(ps[i].Value); {
		case len(v) > 0 && v[0] == '"':
			b.Write(v)
		case string(v) == "null":
			b.WriteString(`""`)
		default:
			var c bytes.Buffer
			if json.Compact(&c, v) != nil {
				c.Reset()
			}
			writeJSONString(&b, c.String())
		}
	}
	if b.Len() == 0 {
		return nil
	}
	b.WriteByte('}')
	return b.Bytes()
}
