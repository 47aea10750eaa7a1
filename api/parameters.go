package api

import (
	"bytes"
	"encoding/json"

	"hearth/whisk"
)

// parseParameters reads the raw value of "parameters" or "annotations" and
// measures it. Values are copied in their compact form, so that a stored
// action does not keep the request in memory. Beyond limit bytes nothing is
// kept, only counted: the second result then is above limit.
func parseParameters(raw []byte, limit int64) (whisk.Parameters, int64, error) {
	if !whisk.IsArray(raw) {
		return nil, 0, detail("parameters malformed!")
	}
	var (
		out  = whisk.Parameters{}
		at   = map[string]int{}
		size int64
		err  error

		scratch bytes.Buffer
	)
	whisk.Elements(raw, func(element []byte) bool {
		var p whisk.Parameter
		if p, err = parseParameter(element, &scratch); err != nil {
			return false
		}
		n := p.Size()
		i, again := at[p.Key]
		if again {
			n -= out[i].Size()
		}
		if size += n; size > limit {
			return true
		}
		if again {
			out[i] = p
			return true
		}
		at[p.Key] = len(out)
		out = append(out, p)
		return true
	})
	return out, size, err
}

// parseParameter reads one {key, value}, by way of the scratch buffer.
func parseParameter(raw []byte, scratch *bytes.Buffer) (whisk.Parameter, error) {
	var p whisk.Parameter
	valid := whisk.IsObject(raw)
	hasKey, hasValue := false, false
	whisk.Fields(raw, func(key string, _, value []byte) bool {
		switch key {
		case "key":
			p.Key, hasKey = textOf(value)
		case "value":
			p.Value, hasValue = value, true
		case "init":
			p.Init = string(value) == "true"
			valid = valid && (p.Init || string(value) == "false" || isNull(value))
		case "encryption":
			text, isText := textOf(value)
			p.Encryption = text
			valid = valid && (isText || isNull(value))
		}
		return true
	})
	if !valid || !hasKey || !hasValue {
		return p, detail("parameters malformed!")
	}
	scratch.Reset()
	if err := json.Compact(scratch, p.Value); err != nil {
		return p, detail("parameters malformed!")
	}
	p.Value = bytes.Clone(scratch.Bytes())
	return p, nil
}
