package whisk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
)

// CheckJSON returns nil if b is one valid JSON value nested no deeper than
// maxDepth, else what is wrong, without quoting more than a character of b. It
// takes what [json.Valid] takes, in one pass and several times as fast.
func CheckJSON(b []byte, maxDepth int) error {
	c := jsonChecker{b: b, max: maxDepth}
	if c.check() {
		return nil
	}
	if c.deep {
		return fmt.Errorf("JSON is nested deeper than %d levels", maxDepth)
	}
	var v json.RawMessage
	if err := json.Unmarshal(b, &v); err != nil { // for its text
		return err
	}
	return errors.New("invalid JSON")
}

// jsonChecker is a reader of JSON that keeps only where it is.
type jsonChecker struct {
	b      []byte
	i      int
	max    int
	depth  int
	inside []uint64 // a bit for each level: 1 in an object, 0 in an array
	room   [8]uint64
	deep   bool // it stopped because of max
}

func (c *jsonChecker) check() bool {
	c.inside = c.room[:]
	for c.value() {
		for {
			c.space()
			if c.depth == 0 {
				return c.i == len(c.b)
			}
			if c.i == len(c.b) {
				return false
			}
			object := c.inObject()
			switch ch := c.b[c.i]; {
			case ch == ',':
				c.i++
				if object && !c.key() {
					return false
				}
			case ch == '}' && object, ch == ']' && !object:
				c.i++
				c.depth--
				continue
			default:
				return false
			}
			break
		}
	}
	return false
}

// value reads a value, or of one that is not empty the beginning: up to where
// its first inner value begins that has no inner values.
func (c *jsonChecker) value() bool {
	for {
		c.space()
		if c.i == len(c.b) {
			return false
		}
		switch ch := c.b[c.i]; ch {
		case '{', '[':
			c.i++
			if !c.enter(ch == '{') {
				return false
			}
			c.space()
			if c.i < len(c.b) && c.b[c.i] == ch+2 { // '}' or ']'
				c.i++
				c.depth--
				return true
			}
			if ch == '{' && !c.key() {
				return false
			}
		case '"':
			return c.text()
		case 't':
			return c.word("true")
		case 'f':
			return c.word("false")
		case 'n':
			return c.word("null")
		default:
			return c.number()
		}
	}
}

func (c *jsonChecker) enter(object bool) bool {
	if c.depth == c.max {
		c.deep = true
		return false
	}
	if c.depth/64 == len(c.inside) {
		c.inside = append(c.inside, 0)
	}
	at, bit := &c.inside[c.depth/64], uint64(1)<<(c.depth%64)
	*at &^= bit
	if object {
		*at |= bit
	}
	c.depth++
	return true
}

func (c *jsonChecker) inObject() bool {
	d := c.depth - 1
	return c.inside[d/64]&(1<<(d%64)) != 0
}

func (c *jsonChecker) space() { c.i = skipSpace(c.b, c.i) }

// key reads a key and its colon.
func (c *jsonChecker) key() bool {
	c.space()
	if c.i == len(c.b) || c.b[c.i] != '"' || !c.text() {
		return false
	}
	c.space()
	if c.i == len(c.b) || c.b[c.i] != ':' {
		return false
	}
	c.i++
	return true
}

// text reads a string; c.i is at its first quote.
func (c *jsonChecker) text() bool {
	for c.i++; ; {
		c.i = plainEnd(c.b, c.i)
		if c.i == len(c.b) {
			return false
		}
		switch c.b[c.i] {
		case '"':
			c.i++
			return true
		case '\\':
			if !c.escape() {
				return false
			}
		default: // a control character
			return false
		}
	}
}

func (c *jsonChecker) escape() bool {
	if c.i+1 >= len(c.b) {
		return false
	}
	switch c.b[c.i+1] {
	case 'b', 'f', 'n', 'r', 't', '\\', '/', '"':
		c.i += 2
		return true
	case 'u':
		if c.i+6 > len(c.b) {
			return false
		}
		for _, ch := range c.b[c.i+2 : c.i+6] {
			if !('0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'f' || 'A' <= ch && ch <= 'F') {
				return false
			}
		}
		c.i += 6
		return true
	}
	return false
}

func (c *jsonChecker) word(w string) bool {
	if len(c.b)-c.i < len(w) || string(c.b[c.i:c.i+len(w)]) != w {
		return false
	}
	c.i += len(w)
	return true
}

func (c *jsonChecker) number() bool {
	if c.at('-') {
		c.i++
	}
	if c.at('0') {
		c.i++
	} else if !c.digits() {
		return false
	}
	if c.at('.') {
		if c.i++; !c.digits() {
			return false
		}
	}
	if c.at('e') || c.at('E') {
		if c.i++; c.at('+') || c.at('-') {
			c.i++
		}
		return c.digits()
	}
	return true
}

func (c *jsonChecker) at(ch byte) bool { return c.i < len(c.b) && c.b[c.i] == ch }

// digits reads one digit or more.
func (c *jsonChecker) digits() bool {
	from := c.i
	for c.i < len(c.b) && '0' <= c.b[c.i] && c.b[c.i] <= '9' {
		c.i++
	}
	return c.i > from
}

// plainEnd returns the index, from i on, of the first byte that means something
// in a JSON string: a quote, a backslash, or a control character, which must not
// stand there. It looks at eight bytes at a time.
func plainEnd(b []byte, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^'"'*ones, w^'\\'*ones
		// The lowest high bit that is set marks the first byte sought; those
		// above it may be set by a borrow.
		if m := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(b); i++ {
		if ch := b[i]; ch == '"' || ch == '\\' || ch < ' ' {
			return i
		}
	}
	return i
}
