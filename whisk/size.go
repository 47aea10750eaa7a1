package whisk

import (
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes that is written with a unit: "1 MB", "512 B".
// Units are powers of 1024, as OpenWhisk's are.
type ByteSize int64

var sizeUnits = []struct {
	names string // the first is written
	bytes int64
}{
	{"GB G", 1 << 30}, {"MB M", 1 << 20}, {"KB K", 1 << 10}, {"B", 1},
}

// String returns the size in the largest unit that makes it a whole number.
func (s ByteSize) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.bytes == 0 {
			name, _, _ := strings.Cut(u.names, " ")
			return strconv.FormatInt(int64(s)/u.bytes, 10) + " " + name
		}
	}
	return "0 B"
}

// ParseByteSize reads "1 MB", "1m" or, in bytes, "1048576". Errors are of kind
// [BadRequest].
func ParseByteSize(text string) (ByteSize, error) {
	t := strings.ToUpper(strings.TrimSpace(text))
	digits := strings.TrimRight(t, "BKMG")
	unit, factor := t[len(digits):], int64(0)
	if unit == "" {
		unit = "B"
	}
	for _, u := range sizeUnits {
		for name := range strings.FieldsSeq(u.names) {
			if name == unit {
				factor = u.bytes
			}
		}
	}
	digits = strings.TrimSpace(digits)
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || factor == 0 || n > uint64(math.MaxInt64/factor) {
		return 0, Errorf(BadRequest, `a size is a number of bytes with a unit, such as "1 MB"`)
	}
	return ByteSize(int64(n) * factor), nil
}

// MarshalText writes the size as String does.
func (s ByteSize) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a size as ParseByteSize does.
func (s *ByteSize) UnmarshalText(b []byte) (err error) {
	*s, err = ParseByteSize(string(b))
	return err
}
