package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"hearth/whisk"
)

// query reads single parameters out of a raw query string: an invoke has at
// most three, so no map is built.
type query string

// get returns the first value of the parameter and whether it is there with a
// value.
func (q query) get(name string) (string, bool, error) {
	for pair := range strings.SplitSeq(string(q), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			if strings.IndexByte(key, '%') < 0 {
				continue
			}
			if k, err := url.QueryUnescape(key); err != nil || k != name {
				continue
			}
		}
		if strings.ContainsAny(value, "%+") {
			v, err := url.QueryUnescape(value)
			if err != nil {
				return "", false, badQuery(name, "invalid escape")
			}
			value = v
		}
		return value, value != "", nil
	}
	return "", false, nil
}

// boolean returns the parameter as a truth value, otherwise if it is absent.
func (q query) boolean(name string, otherwise bool) (bool, error) {
	v, ok, err := q.get(name)
	if err != nil || !ok {
		return otherwise, err
	}
	switch strings.ToLower(v) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, badQuery(name, "'"+v+"' is not a valid Boolean value")
}

// page is the part of a list that a request asks for.
type page struct {
	skip, limit int
	count       bool
}

// page reads limit, skip and count of a list of the collection. A limit of 0
// is the maximum.
func (q query) page(collection string, l whisk.SystemLimits) (page, error) {
	p := page{limit: l.ListDefault}
	limit, ok, err := q.get("limit")
	if err != nil {
		return p, err
	}
	if ok {
		n, err := strconv.ParseInt(limit, 10, 32)
		if err != nil {
			return p, badQuery("limit", "The value '"+limit+"' is not an integer for "+collection+".")
		}
		if n < 0 || n > int64(l.ListMax) {
			return p, badQuery("limit", "The value '"+limit+"' is not in the range of 0 to "+strconv.Itoa(l.ListMax)+" for "+collection+".")
		}
		p.limit = int(n)
		if n == 0 {
			p.limit = l.ListMax
		}
	}
	skip, ok, err := q.get("skip")
	if err != nil {
		return p, err
	}
	if ok {
		n, err := strconv.ParseInt(skip, 10, 32)
		if err != nil {
			return p, badQuery("skip", "The value '"+skip+"' is not an integer for "+collection+".")
		}
		if n < 0 {
			return p, badQuery("skip", "The value '"+skip+"' is not greater than or equal to 0 for "+collection+".")
		}
		p.skip = int(n)
	}
	p.count, err = q.boolean("count", false)
	return p, err
}

// wait returns how long a blocking invoke may wait, at most limit.
func (q query) wait(limit time.Duration) (time.Duration, error) {
	v, ok, err := q.get("timeout")
	if err != nil || !ok {
		return limit, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n <= 0 || n > limit.Milliseconds() {
		return 0, badQuery("timeout", "Timeout must be number of milliseconds up to "+strconv.FormatInt(limit.Milliseconds(), 10)+".")
	}
	return time.Duration(n) * time.Millisecond, nil
}

// instant returns a parameter in ms since the epoch and whether it is there.
func (q query) instant(name string) (int64, bool, error) {
	v, ok, err := q.get(name)
	if err != nil || !ok {
		return 0, false, err
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, false, badQuery(name, "Parameter is not a valid value for epoch seconds: "+v)
	}
	return n, true, nil
}

// filter returns the name that activations are filtered by: "name" or
// "pkg/name", "" for none.
func (q query) filter() (string, error) {
	v, _, err := q.get("name")
	if err != nil || strings.TrimSpace(v) == "" {
		return "", err
	}
	first, second, packaged := strings.Cut(v, "/")
	if !whisk.ValidName(first) || packaged && !whisk.ValidName(second) {
		return "", badQuery("name", "Parameter may be a 'simple' name or 'package-name/simple' name: "+v)
	}
	return v, nil
}
