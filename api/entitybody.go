package api

import (
	"hearth/whisk"
)

// entityBody is what PUT bodies of all entities can have: what is nil was not
// given.
type entityBody struct {
	parameters, annotations *whisk.Parameters
	version                 *whisk.Version
	publish                 *bool

	parametersSize, annotationsSize int64
}

// field is a top-level field of a body and what reads its raw value.
type field struct {
	name string
	read func(value []byte) error
}

// fields returns what reads the fields of b.
func (b *entityBody) fields(l *whisk.SystemLimits) []field {
	return []field{
		{"parameters", func(v []byte) (err error) { b.parameters, b.parametersSize, err = parametersOf(v, l); return err }},
		{"annotations", func(v []byte) (err error) { b.annotations, b.annotationsSize, err = parametersOf(v, l); return err }},
		{"version", func(v []byte) (err error) { b.version, err = parseVersion(v); return err }},
		{"publish", func(v []byte) (err error) { b.publish, err = parseBool(v, "publish"); return err }},
	}
}

func (b *entityBody) checkSizes(l *whisk.SystemLimits) error {
	if b.parametersSize > l.ParameterSize {
		return tooLarge("parameters", b.parametersSize, l.ParameterSize)
	}
	if b.annotationsSize > l.ParameterSize {
		return tooLarge("annotations", b.annotationsSize, l.ParameterSize)
	}
	return nil
}

// over lays what was given over the fields of an entity. The version of one
// that is stored is raised unless one was given.
func (b *entityBody) over(parameters, annotations *whisk.Parameters, version *whisk.Version, publish *bool, stored bool) {
	if b.parameters != nil && parameters != nil {
		*parameters = *b.parameters
	}
	if b.annotations != nil {
		*annotations = *b.annotations
	}
	switch {
	case b.version != nil:
		*version = *b.version
	case stored:
		*version = version.Next()
	default:
		*version = whisk.FirstVersion
	}
	if b.publish != nil {
		*publish = *b.publish
	}
}

// readFields reads the fields of a body, which must be an object. Those that it
// lacks, and those that are null, are passed over.
func readFields(raw []byte, fields []field) error {
	if len(raw) == 0 {
		return whisk.Errorf(whisk.BadRequest, "Request entity expected but not supplied")
	}
	if !whisk.IsObject(raw) {
		return malformed("JSON object expected.")
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	given := lastFields(raw, names...)
	for _, f := range fields {
		v, ok := given[f.name]
		if !ok {
			continue
		}
		if err := f.read(v); err != nil {
			if whisk.KindOf(err) != whisk.BadRequest {
				return err
			}
			return malformedBy(err)
		}
	}
	return nil
}

// lastFields returns the raw values of the named top-level fields, of equal
// ones the last. A field that is null counts as absent.
func lastFields(raw []byte, names ...string) map[string][]byte {
	out := make(map[string][]byte, len(names))
	whisk.Fields(raw, func(key string, _, value []byte) bool {
		for _, n := range names {
			if n != key {
				continue
			}
			if isNull(value) {
				delete(out, n)
			} else {
				out[n] = value
			}
		}
		return true
	})
	return out
}

func parametersOf(raw []byte, l *whisk.SystemLimits) (*whisk.Parameters, int64, error) {
	ps, size, err := parseParameters(raw, l.ParameterSize)
	return &ps, size, err
}

func parseVersion(raw []byte) (*whisk.Version, error) {
	text, isText := textOf(raw)
	if !isText {
		return nil, detail("semantic version malformed")
	}
	v, err := whisk.ParseVersion(text)
	return &v, err
}

func parseBool(raw []byte, name string) (*bool, error) {
	switch string(raw) {
	case "true", "false":
		v := string(raw) == "true"
		return &v, nil
	}
	return nil, detail("'" + name + "' must be a boolean")
}

// parseName reads a full name: "/ns/[pkg/]name", its first slash being optional,
// or an object of path and name. A namespace "_" stands for own.
func parseName(raw []byte, own whisk.Namespace) (whisk.ActionName, error) {
	text, isText := textOf(raw)
	if whisk.IsObject(raw) {
		var path, name string
		var hasPath, hasName bool
		fields := lastFields(raw, "path", "name")
		path, hasPath = textOf(fields["path"])
		name, hasName = textOf(fields["name"])
		text, isText = path+"/"+name, hasPath && hasName
	}
	if !isText {
		return whisk.ActionName{}, detail("fully qualified name malformed")
	}
	return whisk.ParseActionName(text, own)
}
