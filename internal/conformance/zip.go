package conformance

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
)

// zipped is the base64 of a zip of files, given as name and text in turn.
func zipped(c *C, files ...string) string {
	c.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			c.fatal("zip: %v", err)
		}
	}
	if err := z.Close(); err != nil {
		c.fatal("zip: %v", err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
