package whisk

import (
	"fmt"
	"strconv"
	"strings"
)

// Version is an entity's semantic version. The zero value is not valid; new
// entities start at [FirstVersion].
type Version struct{ Major, Minor, Patch uint32 }

// FirstVersion is what an entity created without a version gets.
var FirstVersion = Version{0, 0, 1}

// ParseVersion reads "major[.minor[.patch]]"; absent parts are 0. 0.0.0 and
// anything else are errors of kind [BadRequest].
func ParseVersion(s string) (Version, error) {
	bad := Errorf(BadRequest, "semantic version malformed")
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return Version{}, bad
	}
	var n [3]uint32
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return Version{}, bad
		}
		n[i] = uint32(v)
	}
	v := Version{n[0], n[1], n[2]}
	if v == (Version{}) {
		return v, bad
	}
	return v, nil
}

// Next returns v with the patch raised by one.
func (v Version) Next() Version { v.Patch++; return v }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// MarshalText implements encoding.TextMarshaler; the zero version is empty.
func (v Version) MarshalText() ([]byte, error) {
	if v == (Version{}) {
		return nil, nil
	}
	return []byte(v.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler; empty text is the zero version.
func (v *Version) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = Version{}
		return nil
	}
	n, err := ParseVersion(string(b))
	if err == nil {
		*v = n
	}
	return err
}
