package invoker

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// maxResultDepth is how deep a result may be nested: records travel as JSON
// through readers that give up somewhere beyond.
const maxResultDepth = 1000

// OpenWhisk's texts, verbatim: clients match on them.
const (
	textMemory    = "The action exhausted its memory and was aborted."
	textBadInit   = "The action did not initialize and exited unexpectedly."
	textBadRun    = "The action did not produce a valid response and exited unexpectedly."
	textProvision = "Failed to provision resources to run the action."
	textNoCode    = "Action could not be fetched."
	textStopped   = "The platform was stopped while the action was running."
)

func textNoImage(image string) string {
	return fmt.Sprintf("Failed to pull container image '%s'.", image)
}

// OpenWhisk's text with the reason behind it.
func textNoKind(kind string) string {
	return textProvision + fmt.Sprintf(" No invoker offers the kind '%s'.", kind)
}

func textTooLarge(mb int64) string {
	return textProvision + fmt.Sprintf(" No invoker has %d MB for one sandbox.", mb)
}

func textTimeout(limit time.Duration, init bool) string {
	end := "."
	if init {
		end = " during initialization."
	}
	return fmt.Sprintf("The action exceeded its time limits of %d milliseconds%s", limit.Milliseconds(), end)
}

func textFailedInit(body string) string {
	return "The action failed during initialization" + textBody(body)
}

func textInvalid(body string) string {
	return "The action did not produce a valid JSON or JSON Array response" + textBody(body)
}

func textBody(body string) string {
	if body == "" {
		return "."
	}
	return ": " + body
}

func textTruncated(body string, size, limit int64) string {
	return fmt.Sprintf("The action produced a response that exceeded the allowed length: %d > %d bytes. The truncated response was: %s", size, limit, body)
}

// resultLimits are, in bytes, how long a result may be and how much is shown of
// one that is longer.
type resultLimits struct{ size, shown int64 }

// resultsOf returns what holds for a call: the invoker's limits, or what is
// less of the caller's.
func (v *Invoker) resultsOf(c *whisk.Call) resultLimits {
	r := resultLimits{v.cfg.ResultBytes, v.cfg.TruncationBytes}
	if b := c.Bounds; b != nil {
		r.size, r.shown = min(r.size, b.ResultSize), min(r.shown, b.TruncationSize)
	}
	r.shown = min(r.shown, r.size)
	return r
}

// initResponse returns the response of an activation whose init had the
// outcome o, and false if the init went well and the run decides.
func initResponse(o *sandbox.Outcome, timeout time.Duration, results resultLimits) (whisk.Response, bool) {
	switch o.Ending {
	case sandbox.Replied:
	case sandbox.TimedOut:
		return unanswered(textTimeout(timeout, true)), true
	case sandbox.OutOfMemory:
		return unanswered(textMemory), true
	default:
		return unanswered(textBadInit), true
	}
	if o.OK {
		return whisk.Response{}, false
	}
	body := clean(o.Body)
	if size, cut := replySize(o, results.size); cut {
		return answered(whisk.DeveloperError, textTruncated(text(body, results.shown), size, results.size), size), true
	}
	if e, ok := errorOf(body); ok {
		return whisk.Response{Status: whisk.DeveloperError, Result: e, Size: len(body)}, true
	}
	return answered(whisk.DeveloperError, textFailedInit(string(body)), int64(len(body))), true
}

// runResponse returns the response of an activation whose run had the outcome
// o. A result is passed on as the very bytes that came.
func runResponse(o *sandbox.Outcome, timeout time.Duration, results resultLimits) whisk.Response {
	switch o.Ending {
	case sandbox.Replied:
	case sandbox.TimedOut:
		return unanswered(textTimeout(timeout, false))
	case sandbox.OutOfMemory:
		return unanswered(textMemory)
	default:
		return unanswered(textBadRun)
	}
	body := clean(o.Body)
	if size, cut := replySize(o, results.size); cut {
		return answered(whisk.ApplicationError, textTruncated(text(body, results.shown), size, results.size), size)
	}
	if whisk.CheckJSON(body, maxResultDepth) == nil {
		if whisk.IsObject(body) {
			e, failed := whisk.Field(body, "error")
			switch {
			case failed && o.OK:
				return whisk.Response{Status: whisk.ApplicationError, Result: errorObject(e), Size: len(body)}
			case failed:
				return whisk.Response{Status: whisk.DeveloperError, Result: errorObject(e), Size: len(body)}
			case o.OK:
				return whisk.Response{Status: whisk.Success, Result: body, Size: len(body)}
			}
		} else if o.OK && whisk.IsArray(body) {
			return whisk.Response{Status: whisk.Success, Result: body, Size: len(body)}
		}
	}
	return answered(whisk.DeveloperError, textInvalid(string(body)), int64(len(body)))
}

// unanswered is the developer error of an action that gave no response text.
func unanswered(message string) whisk.Response {
	r := whisk.ErrorResponse(whisk.DeveloperError, message)
	r.Size = 0
	return r
}

// answered is an error made of a response text of the given size.
func answered(s whisk.Status, message string, size int64) whisk.Response {
	r := whisk.ErrorResponse(s, message)
	r.Size = int(size)
	return r
}

// replySize returns the reply's full size and whether it is over the limit.
func replySize(o *sandbox.Outcome, limit int64) (int64, bool) {
	size := max(o.Size, int64(len(o.Body)))
	return size, size > limit
}

// text returns at most limit bytes of a body, without a broken last character.
func text(body []byte, limit int64) string {
	return strings.ToValidUTF8(string(body[:min(int64(len(body)), limit)]), "")
}

// clean returns the body without the white space around it, as valid UTF-8.
func clean(body []byte) []byte {
	body = bytes.TrimSpace(body)
	if utf8.Valid(body) { // much faster than to look for what to replace
		return body
	}
	return bytes.ToValidUTF8(body, []byte("\uFFFD"))
}

// errorOf returns {"error": …} if the body is an object with that key.
func errorOf(body []byte) ([]byte, bool) {
	if whisk.CheckJSON(body, maxResultDepth) != nil || !whisk.IsObject(body) {
		return nil, false
	}
	e, ok := whisk.Field(body, "error")
	if !ok {
		return nil, false
	}
	return errorObject(e), true
}

func errorObject(value []byte) []byte {
	b := make([]byte, 0, len(value)+len(`{"error":}`))
	b = append(b, `{"error":`...)
	b = append(b, value...)
	return append(b, '}')
}
