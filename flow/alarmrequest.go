package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearth/whisk"
)

// alarmRequest are the arguments of a feed of alarms. Users send what should be
// a number or a flag as a string as well.
type alarmRequest struct {
	Sort           string `json:"-"`
	LifecycleEvent string `json:"lifecycleEvent"`
	TriggerName    string `json:"triggerName"`
	AuthKey        string `json:"authKey"`

	Payload         json.RawMessage `json:"trigger_payload"`
	Cron            loose           `json:"cron"`
	Timezone        loose           `json:"timezone"`
	Strict          loose           `json:"strict"`
	Minutes         loose           `json:"minutes"`
	Date            loose           `json:"date"`
	StartDate       loose           `json:"startDate"`
	StopDate        loose           `json:"stopDate"`
	DeleteAfterFire loose           `json:"deleteAfterFire"`
	MaxTriggers     loose           `json:"maxTriggers"`
}

// loose is a parameter of any type: its text, and what it was written as, nil for
// what counts as false in JavaScript and so as not given.
type loose struct {
	text string
	raw  json.RawMessage
}

func (l *loose) UnmarshalJSON(b []byte) error {
	*l = loose{text: string(b)}
	switch l.text {
	case "null", `""`, "0", "false":
		return nil
	}
	l.raw = bytes.Clone(b)
	if b[0] != '"' {
		return nil
	}
	return json.Unmarshal(b, &l.text)
}

func (l loose) given() bool { return l.raw != nil }

// jsonFault says what is wrong with arguments without showing them.
func jsonFault(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return t.Field + " is of the wrong type"
	}
	return "they are malformed"
}

func badAlarm(format string, args ...any) error {
	return whisk.Errorf(whisk.BadRequest, format, args...)
}

// plan returns what a new alarm is to do.
func (r *alarmRequest) plan(now int64) (*alarmPlan, error) {
	p := &alarmPlan{Sort: r.Sort}
	if r.Sort == alarmInterval && r.MaxTriggers.given() && r.StopDate.given() {
		return nil, badAlarm("maxTriggers is not supported for the interval trigger feed")
	}
	switch {
	case r.Sort == alarmOnce && !r.Date.given():
		return nil, badAlarm("alarms once trigger feed is missing the date parameter")
	case r.Sort == alarmInterval && !r.Minutes.given():
		return nil, badAlarm("interval trigger feed is missing the minutes parameter")
	case r.Sort == alarmCron && !r.Cron.given():
		return nil, badAlarm("alarms trigger feed is missing the cron parameter")
	case r.Sort == alarmCron && r.MaxTriggers.given() && r.StopDate.given():
		return nil, badAlarm("maxTriggers is not allowed when the stopDate parameter is specified")
	}
	if _, err := r.over(p, now); err != nil {
		return nil, err
	}
	if r.Sort == alarmInterval && p.Start == 0 {
		const ahead = 30 * time.Second
		p.Start = now + ahead.Milliseconds()
		p.StartDate = strconv.AppendInt(nil, p.Start, 10)
	}
	return p, nil
}

// over lays what was given over a plan and reports whether there was anything.
func (r *alarmRequest) over(p *alarmPlan, now int64) (changed bool, err error) {
	switch p.Sort {
	case alarmOnce:
		changed, err = r.overOnce(p, now)
	case alarmInterval:
		changed, err = r.overInterval(p)
	default:
		changed, err = r.overCron(p)
	}
	if err != nil {
		return false, err
	}
	if p.Sort != alarmOnce {
		dates, err := r.overDates(p, now)
		if err != nil {
			return false, err
		}
		changed = changed || dates
	}
	if r.MaxTriggers.given() && p.Sort != alarmOnce {
		n, err := strconv.ParseInt(r.MaxTriggers.text, 10, 64)
		if err != nil {
			return false, badAlarm("the maxTriggers parameter must be an integer")
		}
		p.MaxTriggers, changed = max(n, 0), true // OpenWhisk's default is -1
	}
	if payload := payloadOf(r.Payload); payload != nil {
		p.Payload, changed = payload, true
	}
	return changed, nil
}

func (r *alarmRequest) overOnce(p *alarmPlan, now int64) (changed bool, err error) {
	if r.Date.given() {
		if p.Start, err = futureDate("date", r.Date, now); err != nil {
			return false, err
		}
		p.Date, changed = r.Date.raw, true
	}
	if r.DeleteAfterFire.given() {
		v := strings.ToLower(strings.TrimSpace(r.DeleteAfterFire.text))
		if !slices.Contains([]string{"false", "true", "rules"}, v) {
			return false, badAlarm("deleteAfterFire parameter must be one of [false, true, rules].")
		}
		p.DeleteAfterFire, changed = v, true
	}
	return changed, nil
}

// maxMinutes bounds an interval: a century.
const maxMinutes = 100 * 366 * 24 * 60

func (r *alarmRequest) overInterval(p *alarmPlan) (changed bool, err error) {
	if !r.Minutes.given() {
		return false, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(r.Minutes.text), 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > maxMinutes {
		return false, badAlarm("the minutes parameter must be an integer")
	}
	if n <= 0 {
		return false, badAlarm("the minutes parameter must be an integer greater than zero")
	}
	p.Minutes = int64(n)
	return true, nil
}

func (r *alarmRequest) overCron(p *alarmPlan) (changed bool, err error) {
	if r.Cron.given() {
		p.Cron, changed = r.Cron.text, true
	}
	if r.Timezone.given() {
		p.Timezone, changed = r.Timezone.text, true
	}
	if r.Strict.given() || r.Strict.text == "false" {
		strict := strings.EqualFold(strings.TrimSpace(r.Strict.text), "true")
		p.Strict, changed = &strict, true
	}
	if !changed {
		return false, nil
	}
	zone, err := time.LoadLocation(p.Timezone)
	if err != nil || p.Timezone == "Local" {
		return false, badAlarm("Invalid timezone.")
	}
	if _, ok := parseCron(p.Cron, zone); !ok {
		return false, badAlarm("cron pattern '%s' is not valid", p.Cron)
	}
	return true, nil
}

// overDates lays start and stop dates over a plan.
func (r *alarmRequest) overDates(p *alarmPlan, now int64) (changed bool, err error) {
	if r.StartDate.given() {
		if p.Start, err = futureDate("startDate", r.StartDate, now); err != nil {
			return false, err
		}
		p.StartDate, changed = r.StartDate.raw, true
	}
	if r.StopDate.given() {
		if p.Stop, err = futureDate("stopDate", r.StopDate, now); err != nil {
			return false, err
		}
		p.StopDate, changed = r.StopDate.raw, true
		if p.StartDate != nil && p.Stop <= p.Start {
			return false, badAlarm("stopDate parameter '%s' must be greater than the startDate parameter '%s'", r.StopDate.text, plainText(p.StartDate))
		}
	}
	if changed && p.Stop != 0 && p.Start >= p.Stop {
		return false, badAlarm("startDate parameter '%s' must be less than the stopDate parameter '%s'", r.StartDate.text, plainText(p.StopDate))
	}
	return changed, nil
}

// futureDate reads a date that must be in the future.
func futureDate(name string, l loose, now int64) (int64, error) {
	at, ok := parseDate(l)
	if !ok {
		return 0, badAlarm("%s parameter '%s' is not a valid Date", name, l.text)
	}
	if at <= now {
		return 0, badAlarm("%s parameter '%s' must be in the future", name, l.text)
	}
	return at, nil
}

// maxDate is the last date that JavaScript knows, in ms since the epoch.
const maxDate = 8_640_000_000_000_000

// parseDate reads ms since the epoch, or a text in one of the forms that
// JavaScript reads everywhere; without a zone it is UTC.
func parseDate(l loose) (int64, bool) {
	if l.raw[0] != '"' {
		n, err := strconv.ParseFloat(l.text, 64)
		return int64(n), err == nil && math.Abs(n) <= maxDate
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02", "2006-01", "2006",
		time.RFC1123, time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 MST",
	} {
		if t, err := time.Parse(layout, strings.TrimSpace(l.text)); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// payloadOf makes an object of a trigger_payload; nil: there is none.
func payloadOf(raw json.RawMessage) json.RawMessage {
	switch string(raw) {
	case "", "null", `""`, "0", "false":
		return nil
	}
	if whisk.IsObject(raw) {
		return raw
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && whisk.IsObject([]byte(text)) && json.Valid([]byte(text)) {
		return json.RawMessage(text) // written by a client that could not tell
	}
	b := append([]byte(`{"payload":`), raw...)
	return append(b, '}')
}

// plainText returns the text of a string, or another value as it is.
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
