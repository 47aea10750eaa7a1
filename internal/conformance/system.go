package conformance

import "time"

// system is the path of something of the catalogue's.
func system(path string) string { return in("whisk.system", path) }

// utility runs an action of the catalogue and returns the answer, its result.
func (c *C) utility(name string, args J) *Answer {
	c.Helper()
	return c.post(system("actions/"+name+"?blocking=true&result=true"), args)
}

func systemChecks() []Check {
	holds := func(pkg string, actions ...string) Check {
		return Check{"the catalogue has " + pkg, func(c *C) {
			c.get(system("packages?limit=0")).want(200).row("name", pkg).field("publish", true).field("namespace", "whisk.system")
			a := c.get(system("packages/" + pkg)).want(200)
			for _, name := range actions {
				a.at("actions").row("name", name)
			}
		}}
	}
	checks := []Check{
		holds("utils", "cat", "date", "echo", "head", "hosturl", "namespace", "smash", "sort", "split"),
		holds("samples", "greeting", "helloWorld", "wordCount"),
		holds("slack", "post"),
		{"the catalogue has the feeds of alarms", func(c *C) {
			a := c.get(system("packages/alarms")).want(200).field("publish", true)
			for _, name := range []string{"alarm", "interval", "once"} {
				a.at("feeds").row("name", name)
			}
		}},
		{"the catalogue has the feed of github", func(c *C) {
			c.get(system("packages/github")).want(200).field("publish", true).at("feeds").row("name", "webhook")
		}},
		{"the catalogue is nobody's to change", func(c *C) {
			c.put(system("packages/utils?overwrite=true"), J{"publish": false}).failsLike(403, "not authorized to access")
			c.put(system("actions/utils/echo?overwrite=true"), c.idle()).failsLike(403, "not authorized to access")
			c.delete(system("packages/utils?force=true")).failsLike(403, "not authorized to access")
		}},
		{"the catalogue is its own key's to change", func(c *C) {
			if c.h.system == nil {
				c.Skip("needs HEARTH_TEST_SYSTEM_KEY, the key of whisk.system")
			}
			pkg := c.name("p")
			c.req("PUT", system("packages/"+pkg)).as(*c.h.system).json(J{"publish": true}).do().want(200).field("namespace", "whisk.system")
			c.get(system("packages/"+pkg)).want(200).field("publish", true)
		}},
		{"the catalogue describes its actions", func(c *C) {
			a := c.get(system("actions/utils/sort")).want(200)
			for _, key := range []string{"description", "parameters", "sampleInput", "sampleOutput"} {
				a.at("annotations").row("key", key)
			}
		}},
		{"echo of utils gives what it gets", func(c *C) { c.utility("utils/echo", J{"a": L{1, nil}}).want(200).json(J{"a": L{1, nil}}) }},
		{"cat of utils joins lines", func(c *C) {
			c.utility("utils/cat", J{"lines": L{"a", 2}, "more": 1}).want(200).json(J{"lines": L{"a", 2}, "payload": "a\n2"})
		}},
		{"head of utils takes the first lines", func(c *C) {
			c.utility("utils/head", J{"lines": L{4, 2, 3}, "num": 2}).want(200).json(J{"lines": L{4, 2}, "num": 2})
		}},
		{"sort of utils sorts lines", func(c *C) {
			c.utility("utils/sort", J{"lines": L{"c", "a", "b"}}).want(200).json(J{"lines": L{"a", "b", "c"}, "length": 3})
		}},
		{"split of utils splits text", func(c *C) {
			c.utility("utils/split", J{"payload": "one,two,three", "separator": ","}).want(200).
				json(J{"lines": L{"one", "two", "three"}, "payload": "one,two,three"})
		}},
		{"smash of utils nests its arguments", func(c *C) {
			c.utility("utils/smash", J{"$fieldName": "p", "a": 1, "b": J{"c": 2}}).want(200).json(J{"p": J{"a": 1, "b": J{"c": 2}}})
			c.utility("utils/smash", J{"a": 1}).want(502).has("error")
		}},
		{"date of utils tells the time", func(c *C) {
			a := c.utility("utils/date", J{}).want(200)
			if at, err := time.Parse(time.RFC3339, a.str("date")); err != nil || time.Since(at).Abs() > time.Hour {
				a.wrong("date is %q", a.str("date"))
			}
		}},
		{"namespace of utils tells whose key it is", func(c *C) {
			c.utility("utils/namespace", J{}).want(200).json(J{"namespace": c.ns()})
		}},
		{"greeting of samples greets", func(c *C) {
			c.utility("samples/greeting", J{"name": "Ada", "place": "London"}).want(200).json(J{"payload": "Hello, Ada from London!"})
			c.utility("samples/greeting", J{}).want(200).json(J{"payload": "Hello, stranger from somewhere!"})
		}},
		{"wordCount of samples counts words", func(c *C) {
			c.utility("samples/wordCount", J{"payload": "Five fuzzy felines"}).want(200).field("count", 3)
		}},
		{"an action of the catalogue runs in the caller's namespace", func(c *C) {
			a := c.post(system("actions/utils/echo?blocking=true"), J{}).want(200).field("namespace", c.ns())
			c.record(a.id()).annotation("path", "whisk.system/utils/echo")
		}},
		{"a package of the catalogue can be bound", func(c *C) {
			b := c.name("b")
			c.put("packages/"+b, bindTo("whisk.system", "utils", J{"parameters": kv("bound", true)})).want(200)
			c.result(b+"/echo", J{"a": 1}).want(200).json(J{"a": 1, "bound": true})
		}},
		{"actions of the catalogue make a sequence", func(c *C) {
			name := c.sequence("/whisk.system/utils/split", "/whisk.system/utils/sort")
			c.result(name, J{"payload": "c b a", "separator": " "}).want(200).json(J{"lines": L{"a", "b", "c"}, "length": 3})
		}},
	}
	return append(checks, alarmChecks()...)
}

// fed makes a trigger of a feed of the catalogue, as a client does, and a rule
// of it to an action. The trigger's end is the feed's.
func (c *C) fed(feed string, params J) (trigger string) {
	c.Helper()
	t, _ := c.wired("", J{"annotations": kv("feed", "/whisk.system/"+feed)})
	c.lifecycle(feed, "CREATE", t, params).want(200)
	c.atEnd(func() { c.lifecycle(feed, "DELETE", t, nil) })
	return t
}

// lifecycle calls a feed's action about a trigger.
func (c *C) lifecycle(feed, event, trigger string, params J) *Answer {
	c.Helper()
	args := J{"lifecycleEvent": event, "triggerName": c.full(trigger), "authKey": c.h.own.Key}
	for k, v := range params {
		args[k] = v
	}
	return c.post(system("actions/"+feed+"?blocking=true"), args)
}

// fires waits until a trigger has fired n times and returns the list.
func (c *C) fires(trigger string, n int) *Answer {
	c.Helper()
	var a *Answer
	c.await("firing of "+trigger, func() bool {
		a = c.get("activations?docs=true&name=" + trigger).want(200)
		return len(a.rows()) >= n
	})
	return a
}

func alarmChecks() []Check {
	return []Check{
		{"an alarm by cron fires each second that it names", func(c *C) {
			t := c.fed("alarms/alarm", J{"cron": "* * * * * *", "trigger_payload": J{"from": "alarm"}})
			rows := c.fires(t, 3).rows()
			for _, r := range rows {
				r.field("response.result", J{"from": "alarm"})
			}
			if gap := rows[0].num("start") - rows[2].num("start"); gap < 1500 || gap > 4000 {
				rows[0].wrong("three fires are %v ms apart", gap)
			}
		}},
		{"an alarm once fires once", func(c *C) {
			at := time.Now().Add(1500 * time.Millisecond)
			t := c.fed("alarms/once", J{"date": at.UnixMilli(), "trigger_payload": J{"from": "once"}})
			first := c.fires(t, 1).rows()[0].field("response.result", J{"from": "once"})
			if late := first.num("start") - float64(at.UnixMilli()); late < -50 || late > 3000 {
				first.wrong("it fired %v ms after its time", late)
			}
			<-time.After(1200 * time.Millisecond)
			if n := len(c.fires(t, 1).rows()); n != 1 {
				c.fatal("it fired %d times", n)
			}
		}},
		{"an interval fires when it starts", func(c *C) {
			t := c.fed("alarms/interval", J{"minutes": 1, "startDate": time.Now().Add(time.Second).UnixMilli(), "trigger_payload": J{"from": "interval"}})
			c.fires(t, 1).rows()[0].field("response.result", J{"from": "interval"})
		}},
		{"an alarm tells of itself", func(c *C) {
			t := c.fed("alarms/alarm", J{"cron": "0 0 1 1 *", "trigger_payload": J{"a": 1}})
			r := c.lifecycle("alarms/alarm", "READ", t, nil).want(200).at("response", "result")
			r.field("config.cron", "0 0 1 1 *").field("config.payload", J{"a": 1}).field("status.active", true).has("status.dateChanged")
		}},
		{"an alarm that is deleted fires no more", func(c *C) {
			t := c.fed("alarms/alarm", J{"cron": "* * * * * *"})
			c.fires(t, 1)
			c.lifecycle("alarms/alarm", "DELETE", t, nil).want(200)
			<-time.After(time.Second) // one under way may still come
			n := len(c.fires(t, 1).rows())
			<-time.After(2200 * time.Millisecond)
			if now := len(c.fires(t, 1).rows()); now != n {
				c.fatal("it fired %d times more", now-n)
			}
		}},
		{"an alarm is deleted with its trigger", func(c *C) {
			c.hearthOnly()
			t := c.fed("alarms/alarm", J{"cron": "0 0 1 1 *"})
			c.delete("triggers/" + t).want(200)
			c.put("triggers/"+t, J{}).want(200)
			c.lifecycle("alarms/alarm", "READ", t, nil).want(502).has("response.result.error")
			c.delete("triggers/" + t).want(200)
			c.lifecycle("alarms/alarm", "DELETE", t, nil).want(200)
		}},
		{"an alarm that is changed fires as it says then", func(c *C) {
			t := c.fed("alarms/alarm", J{"cron": "0 0 1 1 *", "trigger_payload": J{"v": 1}})
			c.lifecycle("alarms/alarm", "UPDATE", t, J{"cron": "* * * * * *", "trigger_payload": J{"v": 2}}).want(200)
			c.fires(t, 1).rows()[0].field("response.result", J{"v": 2})
		}},
		{"a cron expression that is none is refused", func(c *C) {
			t, _ := c.wired("")
			for _, cron := range []any{"every day", "61 * * * *", "* * *", 5} {
				c.lifecycle("alarms/alarm", "CREATE", t, J{"cron": cron}).want(502).has("response.result.error")
			}
		}},
		{"an alarm of another's trigger is refused", func(c *C) {
			other := c.second()
			t := c.name("t")
			c.req("PUT", "triggers/"+t).as(other).json(J{}).do().want(200)
			c.post(system("actions/alarms/alarm?blocking=true"),
				J{"lifecycleEvent": "CREATE", "triggerName": "/" + other.Namespace + "/" + t, "authKey": c.h.own.Key, "cron": "* * * * * *"}).
				want(502).has("response.result.error")
		}},
	}
}
