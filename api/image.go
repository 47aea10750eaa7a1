package api

import "regexp"

// Parts of a Docker reference: [host[:port]/]path[:tag][@digest].
const (
	imagePart   = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
	imageHost   = `[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?`
	imageTag    = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	imageDigest = `[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}`
)

// imageReference is linear in its input, as all of Go's expressions are.
var imageReference = regexp.MustCompile(
	`^(?:` + imageHost + `/)?` + imagePart + `(?:/` + imagePart + `)*(?::` + imageTag + `)?(?:@` + imageDigest + `)?$`)

// maxImageName bounds an image's name, in bytes; registries allow less.
const maxImageName = 512

// validImage reports whether s can name a container image.
func validImage(s string) bool {
	return len(s) <= maxImageName && imageReference.MatchString(s)
}
