package flow

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

func TestFeedRefusals(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		for _, tt := range []struct{ sort, args, want string }{
			{alarmCron, `{}`, "alarms trigger feed is missing the cron parameter"},
			{alarmCron, `{"cron":"x"}`, "cron pattern 'x' is not valid"},
			{alarmCron, `{"cron":["* * * * *"]}`, `cron pattern '["* * * * *"]' is not valid`},
			{alarmCron, `{"cron":"* * * * *","timezone":"Mars"}`, "Invalid timezone."},
			{alarmCron, `{"cron":"* * * * *","startDate":"soon"}`, "startDate parameter 'soon' is not a valid Date"},
			{alarmCron, `{"cron":"* * * * *","startDate":"1999-01-01"}`, "startDate parameter '1999-01-01' must be in the future"},
			{alarmCron, `{"cron":"* * * * *","stopDate":946684700000}`, "stopDate parameter '946684700000' must be in the future"},
			{alarmCron, `{"cron":"* * * * *","startDate":"2001-01-01","stopDate":"2000-02-01"}`, "stopDate parameter '2000-02-01' must be greater than the startDate parameter '2001-01-01'"},
			{alarmCron, `{"cron":"0 0 1 1 *","stopDate":"2000-02-01"}`, "the first scheduled trigger fire is not until after the stop date"},
			{alarmCron, `{"cron":"* * * * *","stopDate":"2000-02-01","maxTriggers":3}`, "maxTriggers is not allowed when the stopDate parameter is specified"},
			{alarmInterval, `{}`, "interval trigger feed is missing the minutes parameter"},
			{alarmInterval, `{"minutes":0}`, "interval trigger feed is missing the minutes parameter"},
			{alarmInterval, `{"minutes":1.5}`, "the minutes parameter must be an integer"},
			{alarmInterval, `{"minutes":"x"}`, "the minutes parameter must be an integer"},
			{alarmInterval, `{"minutes":-1}`, "the minutes parameter must be an integer greater than zero"},
			{alarmInterval, `{"minutes":1,"maxTriggers":1,"stopDate":"2001-01-01"}`, "maxTriggers is not supported for the interval trigger feed"},
			{alarmOnce, `{}`, "alarms once trigger feed is missing the date parameter"},
			{alarmOnce, `{"date":"2001-01-01","deleteAfterFire":"no"}`, "deleteAfterFire parameter must be one of [false, true, rules]."},
			{alarmOnce, `{"date":"2001-01-01","authKey":""}`, "no authKey parameter was provided"},
			{alarmOnce, `{"date":"2001-01-01","authKey":"uuid:wrong"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":""}`, "no trigger name parameter was provided"},
			{alarmOnce, `{"date":"2001-01-01","triggerName":"/ns/absent"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":"/other/t"}`, errFeedAuth.Message},
			{alarmOnce, `{"date":"2001-01-01","triggerName":7}`, "the parameters cannot be read: triggerName is of the wrong type"},
			{alarmOnce, `{"date":"2001-01-01","lifecycleEvent":"PAUSE"}`, "unsupported lifecycleEvent"},
			{alarmOnce, `{"lifecycleEvent":"READ"}`, "could not find trigger /ns/t in the database"},
			{alarmOnce, `{"lifecycleEvent":"UPDATE"}`, "could not find trigger /ns/t in the database"},
		} {
			var got struct{ Error string }
			text := tell(t, a, tt.sort, "CREATE", tt.args)
			if err := json.Unmarshal([]byte(text), &got); err != nil || got.Error != tt.want {
				t.Errorf("%s: %s, want %q", tt.args, text, tt.want)
			}
		}
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
		if got := tell(t, a, alarmCron, "UPDATE", `{"trigger_payload":""}`); got != `{"error":"no updatable parameters were specified"}` {
			t.Errorf("UPDATE with nothing: %s", got)
		}
		// A trigger that is gone can still be deleted here.
		c.set(func() { delete(c.triggers, triggerName("t")) })
		if got := tell(t, a, alarmCron, "DELETE", `{}`); !strings.Contains(got, "success") {
			t.Errorf("DELETE without a trigger: %s", got)
		}
	})
}

func TestResealAlarm(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock, a *Alarms) {
		tell(t, a, alarmCron, "CREATE", `{"cron":"* * * * *"}`)
		v, err := c.engine.Alarm(t.Context(), triggerName("t"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ResealAlarm(v, fakeSealer{}, fakeSealer{}); err != nil {
			t.Error(err)
		}
		v.Trigger.Name = "other"
		if _, err := ResealAlarm(v, fakeSealer{}, fakeSealer{}); err == nil {
			t.Error("the body of one alarm was taken for another's")
		}
	})
}

// Whatever a feed is told, it answers with an object.
func FuzzFeed(f *testing.F) {
	for _, s := range []string{
		`{"cron":"* * * * *","timezone":"UTC","strict":"false","maxTriggers":3}`, `{"minutes":"2","startDate":"2030-01-01"}`,
		`{"date":99999999999999999999,"deleteAfterFire":true}`, `{"date":"2030-01-01T00:00Z","trigger_payload":[1]}`, `{"stopDate":1e300}`,
	} {
		f.Add("alarm", "CREATE", s)
	}
	f.Fuzz(func(t *testing.T, sort, event, args string) {
		if !json.Valid([]byte(args)) || !whisk.IsObject([]byte(args)) || !slices.Contains([]string{alarmCron, alarmInterval, alarmOnce}, sort) {
			return
		}
		c := newClock()
		a := NewAlarms(DefaultAlarmsConfig(), AlarmsDeps{
			Store: c, Queue: c, Triggers: c, Fires: c, Keys: c, Throttle: clockThrottle{c}, Sealer: fakeSealer{},
		})
		head, err := json.Marshal(map[string]string{"lifecycleEvent": event, "triggerName": "/_/t", "authKey": "uuid:key"})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []string{event, "READ", "UPDATE", "DELETE"} {
			head = whisk.MergeObjects(head, []byte(`{"lifecycleEvent":"`+strings.Trim(e, "\"\\\n")+`"}`))
			if !json.Valid(head) {
				return
			}
			r := a.Feed(t.Context(), sort, &whisk.Call{Args: whisk.MergeObjects([]byte(args), head)})
			if !json.Valid(r.Result) || r.Status == whisk.WhiskError {
				t.Fatalf("%s: status %v, %s", e, r.Status, r.Result)
			}
		}
	})
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		`"2030"`: "2030-01-01T00:00:00Z", `"2030-06"`: "2030-06-01T00:00:00Z", `"2030-06-02"`: "2030-06-02T00:00:00Z",
		`"2030-06-02T03:04Z"`: "2030-06-02T03:04:00Z", `"2030-06-02T03:04:05.006+02:00"`: "2030-06-02T01:04:05Z",
		`1906599845006`: "2030-06-02T03:04:05Z", `"1906599845006"`: "", `"tomorrow"`: "", `"2030-13"`: "",
	} {
		var l loose
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		got := ""
		if at, ok := parseDate(l); ok {
			got = time.UnixMilli(at).UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
