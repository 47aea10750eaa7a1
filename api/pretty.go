package api

// appendPretty appends the valid JSON value v as people read it: a line for
// each field of an object, arrays on one line, numbers and texts as they stand.
// Deep nesting makes long lines of spaces: where that would take more than most
// bytes it appends v as it is.
func appendPretty(b, v []byte, most int) []byte {
	var (
		start  = len(b)
		open   []byte // the brackets that are open
		indent = 0    // objects among them
	)
	line := func() {
		b = append(b, '\n')
		for range indent {
			b = append(b, ' ', ' ')
		}
	}
	for i := 0; i < len(v); i++ {
		if len(b)-start > most {
			return append(b[:start], v...)
		}
		switch c := v[i]; c {
		case ' ', '\t', '\r', '\n':
		case '{':
			if end := skipBlank(v, i+1); end < len(v) && v[end] == '}' {
				b, i = append(b, '{', '}'), end
				continue
			}
			open, indent, b = append(open, c), indent+1, append(b, c)
			line()
		case '[':
			open, b = append(open, c), append(b, c)
		case '}':
			open, indent = open[:max(0, len(open)-1)], max(0, indent-1)
			line()
			b = append(b, c)
		case ']':
			open, b = open[:max(0, len(open)-1)], append(b, c)
		case ',':
			b = append(b, c)
			if len(open) > 0 && open[len(open)-1] == '{' {
				line()
			} else {
				b = append(b, ' ')
			}
		case ':':
			b = append(b, c, ' ')
		case '"':
			end := textEnd(v, i)
			b, i = append(b, v[i:end]...), end-1
		default:
			b = append(b, c)
		}
	}
	return b
}

// prettyLimit is how many bytes n bytes of JSON may become for people to read.
func prettyLimit(n int) int { return 8*n + 1024 }

func skipBlank(v []byte, i int) int {
	for i < len(v) && (v[i] == ' ' || v[i] == '\t' || v[i] == '\r' || v[i] == '\n') {
		i++
	}
	return i
}

// textEnd returns the index behind the JSON text that begins at v[i].
func textEnd(v []byte, i int) int {
	for i++; i < len(v); i++ {
		switch v[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(v)
}
