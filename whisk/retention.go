package whisk

import (
	"strconv"
	"strings"
	"time"
)

// Retention is how long something is kept; 0 is for ever. It is written in days
// where that is a whole number: "7d", "36h0m0s", "0".
type Retention time.Duration

const day = 24 * time.Hour

// MaxRetention is the longest that is not for ever.
const MaxRetention = Retention(100 * 365 * day)

// String returns the retention as it is written.
func (r Retention) String() string {
	switch d := time.Duration(r); {
	case d == 0:
		return "0"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	default:
		return d.String()
	}
}

// ParseRetention reads "7d", "168h", "90m" or "0". Errors are of kind
// [BadRequest].
func ParseRetention(text string) (Retention, error) {
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(n) * day
	}
	if err != nil || d < 0 || Retention(d) > MaxRetention {
		return 0, Errorf(BadRequest, `a retention is a time such as "7d" or "12h", at most 100 years, or 0 for ever`)
	}
	return Retention(d), nil
}

// MarshalText writes the retention as String does.
func (r Retention) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a retention as ParseRetention does.
func (r *Retention) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRetention(string(b))
	return err
}
