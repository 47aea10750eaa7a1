package bench

import (
	"bytes"
	"errors"
	"strconv"
)

// Bounds on what is read of an answer besides its body.
const (
	maxHead      = 64 << 10 // status line and header
	maxChunkLine = 4 << 10  // a chunk's size and extensions, or a trailer field
	maxTrailers  = 100
	maxInterim   = 10 // 1xx answers before the one that counts
)

var errMalformed = errors.New("malformed HTTP answer")

// head is what counts in an answer's status line and header.
type head struct {
	status  int
	length  int64 // of the body; -1 if not said
	chunked bool
	close   bool // the connection ends with this answer
}

// parseHead reads a status line and header, the empty line excluded.
func parseHead(b []byte) (head, error) {
	h := head{length: -1}
	line, rest, _ := bytes.Cut(b, crlf)
	// "HTTP/1.1 200 OK": the text may lack, with or without its space.
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[7] < '0' || line[7] > '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return h, errMalformed
	}
	old := line[7] == '0'
	h.close = old
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return h, errMalformed
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.status < 100 {
		return h, errMalformed
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, crlf)
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return h, errMalformed
		}
		if err := h.field(line[:colon], line[colon+1:]); err != nil {
			return h, err
		}
	}
	if h.chunked {
		if old {
			return h, errMalformed // HTTP/1.0 knew no chunks: its end cannot be trusted
		}
		h.length = -1
	}
	return h, nil
}

var crlf = []byte("\r\n")

// field takes in one header field; most are of no concern.
func (h *head) field(name, value []byte) error {
	switch len(name) {
	case len("Content-Length"):
		if equalFold(name, "content-length") {
			n, ok := parseLength(bytes.Trim(value, " \t"))
			if !ok || h.length >= 0 && h.length != n {
				return errMalformed
			}
			h.length = n
		}
	case len("Transfer-Encoding"):
		if equalFold(name, "transfer-encoding") {
			if h.chunked || !equalFold(bytes.Trim(value, " \t"), "chunked") {
				return errMalformed // twice, or a coding nobody asked for
			}
			h.chunked = true
		}
	case len("Connection"):
		if equalFold(name, "connection") {
			for v := range bytes.SplitSeq(value, []byte(",")) {
				switch v = bytes.Trim(v, " \t"); {
				case equalFold(v, "close"):
					h.close = true
				case equalFold(v, "keep-alive"):
					h.close = false
				}
			}
		}
	}
	return nil
}

// equalFold compares ASCII text with one that is in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// parseLength reads a number of bytes in decimal digits.
func parseLength(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// parseChunkSize reads the line before a chunk: hexadecimal digits, and
// extensions, which are skipped.
func parseChunkSize(line []byte) (int64, error) {
	if i := bytes.IndexByte(line, ';'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 || line[0] == '+' || line[0] == '-' {
		return 0, errMalformed
	}
	n, err := strconv.ParseInt(string(line), 16, 64)
	if err != nil {
		return 0, errMalformed
	}
	return n, nil
}
