package whisk

import (
	"fmt"
	"slices"
	"strings"
)

// Blackbox is the kind of actions that bring their own image.
const Blackbox = "blackbox"

// Sequence is the kind of actions that run others, one after the other.
const Sequence = "sequence"

// Builtin is the kind of actions that the platform itself answers: Exec.Main says
// which. Nobody can make one; those of whisk.system are there from the start.
const Builtin = "builtin"

// SkeletonImage is the image that `wsk action create --native` names: its
// contract (a program that reads JSON and prints JSON) runs without Docker.
const SkeletonImage = "openwhisk/dockerskeleton"

// ImageName returns an image's name without its tag and without the registry
// that stands where none is named. An invoker that offers an image by this name
// takes every tag of it.
func ImageName(image string) string {
	image = strings.TrimPrefix(image, "docker.io/")
	slash := strings.LastIndexByte(image, '/')
	name, _, _ := strings.Cut(image[slash+1:], ":")
	return image[:slash+1] + name
}

// Runtime is one kind that an invoker can run.
type Runtime struct {
	Kind        string `json:"kind"`
	Image       string `json:"image"` // for clients that look for one
	Deprecated  bool   `json:"deprecated"`
	Default     bool   `json:"default"` // of its family
	Attached    bool   `json:"attached"`
	RequireMain bool   `json:"requireMain"`
}

// Family returns the part of the kind before the colon.
func (r Runtime) Family() string { f, _, _ := strings.Cut(r.Kind, ":"); return f }

// Runtimes is the manifest: what the invokers offer, sorted by kind, each kind
// once, at most one default in a family.
type Runtimes []Runtime

// NewRuntimes merges what several invokers offer. A family without a default
// gets its last kind as one; of several defaults the first stays.
func NewRuntimes(offers ...[]Runtime) Runtimes {
	var rs Runtimes
	for _, o := range offers {
		for _, r := range o {
			if !slices.ContainsFunc(rs, func(x Runtime) bool { return x.Kind == r.Kind }) {
				rs = append(rs, r)
			}
		}
	}
	slices.SortFunc(rs, func(a, b Runtime) int { return strings.Compare(a.Kind, b.Kind) })
	seen := map[string]bool{}
	for i := range rs {
		f := rs[i].Family()
		rs[i].Default = rs[i].Default && !seen[f]
		seen[f] = seen[f] || rs[i].Default
	}
	for i := len(rs) - 1; i >= 0; i-- {
		if f := rs[i].Family(); !seen[f] {
			rs[i].Default, seen[f] = true, true
		}
	}
	return rs
}

// Families returns the manifest as GET / publishes it.
func (rs Runtimes) Families() map[string][]Runtime {
	m := make(map[string][]Runtime, len(rs))
	for _, r := range rs {
		m[r.Family()] = append(m[r.Family()], r)
	}
	return m
}

// Resolve finds the runtime of a kind; "family:default" finds the family's
// default. An unknown kind is an error of kind [BadRequest] with OpenWhisk's
// text, which lists what there is.
func (rs Runtimes) Resolve(kind string) (Runtime, error) {
	kind = strings.ToLower(strings.TrimSpace(kind))
	family, version, _ := strings.Cut(kind, ":")
	valid := make([]string, 0, len(rs)+2)
	for _, r := range rs {
		if r.Kind == kind || version == "default" && r.Default && r.Family() == family {
			return r, nil
		}
		valid = append(valid, "'"+r.Kind+"'")
	}
	valid = append(valid, "'"+Sequence+"'", "'"+Blackbox+"'")
	return Runtime{}, Errorf(BadRequest, "The specified runtime '%s' is not supported by this platform. Valid values are: %s.",
		kind, strings.Join(valid, ", "))
}

// CheckActive returns nil unless the runtime is deprecated.
func (r Runtime) CheckActive() error {
	if r.Deprecated {
		return &Error{Kind: BadRequest, Message: fmt.Sprintf("The '%s' runtime is no longer supported. You may read and delete but not update or invoke this action.", r.Kind)}
	}
	return nil
}

// CheckActive returns the error of an action of a kind that is no longer
// supported. A kind that no invoker offers at the moment is none of these.
func (rs Runtimes) CheckActive(kind string) error {
	for i := range rs {
		if rs[i].Kind == kind {
			return rs[i].CheckActive()
		}
	}
	return nil
}
