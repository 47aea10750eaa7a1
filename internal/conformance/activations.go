package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func activationChecks() []Check {
	checks := []Check{
		{"a record is whole", func(c *C) {
			id := c.run(c.doer(), J{"a": 1}).want(200).id()
			r := c.record(id)
			r.keys("activationId", "annotations", "duration", "end", "logs", "name", "namespace", "publish", "response", "start", "subject", "version")
			r.field("name", c.doer()).field("namespace", c.ns()).field("version", "0.0.1").field("publish", false)
			r.str("subject")
			if r.num("end") < r.num("start") || r.num("duration") < 0 {
				r.wrong("it ends before it starts")
			}
		}},
		{"a record's response has no statusCode", func(c *C) {
			r := c.record(c.run(c.doer(), J{"a": 1}).want(200).id()).at("response")
			r.field("status", "success").field("success", true).field("result", J{"a": 1}).lacks("statusCode")
			if n := r.num("size"); n != 7 {
				r.wrong("size is %v, want the length of the result's text", n)
			}
		}},
		{"an application error is recorded as one", func(c *C) {
			r := c.record(c.run(c.doer(), J{"give": J{"error": "bad", "more": 1}}).want(502).id()).at("response")
			r.field("status", "application error").field("success", false).field("result", J{"error": "bad"}).lacks("statusCode")
		}},
		{"a developer error is recorded as one", func(c *C) {
			r := c.record(c.run(c.doer(), J{"throw": "oh"}).want(502).id()).at("response")
			r.field("status", "action developer error").field("success", false).has("result.error").lacks("statusCode")
		}},
		{"a record names path, kind and limits of the action", func(c *C) {
			r := c.record(c.run(c.doer(), nil).want(200).id())
			r.annotation("path", c.ns()+"/"+c.doer()).annotation("kind", c.h.node).
				annotation("limits", c.get("actions/"+c.doer()).at("limits").v).annotation("timeout", false)
			if n := r.at("annotations").row("key", "waitTime").num("value"); n < 0 {
				r.wrong("waitTime is %v", n)
			}
		}},
		{"a cold start's record has the time of init", func(c *C) {
			r := c.record(c.run(c.action("function main() { return {} }"), nil).want(200).id())
			n := r.at("annotations").row("key", "initTime").num("value")
			if n < 0 || n > r.num("duration") {
				r.wrong("initTime is %v of a duration of %v", n, r.num("duration"))
			}
		}},
		{"a warm start's record has no time of init", func(c *C) {
			name := c.action("function main() { return {} }")
			c.run(name, nil).want(200)
			c.await("a warm start", func() bool { // the first one's sandbox may not be free at once
				_, cold := c.run(name, nil).want(200).at("annotations").find("key", "initTime")
				return !cold
			})
		}},
		{"a record lasts from its start to its end", func(c *C) {
			r := c.record(c.run(c.doer(), J{"sleep": 120}).want(200).id())
			if d, span := r.num("duration"), r.num("end")-r.num("start"); d < 118 || span < d-2 || span > d+50 {
				r.wrong("duration is %v, end − start %v", d, span)
			}
		}},
		{"an activation that nobody made is 404", func(c *C) {
			c.get("activations/"+strings.Repeat("0", 32)).fails(404, notFound)
			c.get("activations/"+strings.Repeat("0", 32)+"/logs").fails(404, notFound)
			c.get("activations/"+strings.Repeat("0", 32)+"/result").fails(404, notFound)
		}},
		{"an activation's result can be got alone", func(c *C) {
			id := c.run(c.doer(), J{"a": "ü"}).want(200).id()
			c.record(id)
			c.get("activations/" + id + "/result").want(200).
				json(J{"result": J{"a": "ü"}, "size": 10, "status": "success", "success": true})
		}},
		{"an activation has no other parts", func(c *C) {
			id := c.run(c.doer(), nil).want(200).id()
			c.record(id)
			c.get("activations/" + id + "/code").failsLike(404)
		}},
		{"activations can only be read", func(c *C) {
			id := c.run(c.doer(), nil).want(200).id()
			c.record(id)
			notAllowed(c.delete("activations/" + id))
			notAllowed(c.put("activations/"+id, J{}))
			notAllowed(c.post("activations/"+id, J{}))
			notAllowed(c.delete("activations"))
			c.get("activations/" + id).want(200)
		}},
		{"an activation is no stranger's to read", func(c *C) {
			other := c.second()
			id := c.run(c.doer(), nil).want(200).id()
			c.record(id)
			c.req("GET", in("_", "activations/"+id)).as(other).do().fails(404, notFound)
			c.req("GET", in(c.ns(), "activations/"+id)).as(other).do().failsLike(403, "not authorized to access")
			c.req("GET", in(c.ns(), "activations")).as(other).do().failsLike(403, "not authorized to access")
		}},
	}
	checks = append(checks, logChecks()...)
	return append(checks, activationListChecks()...)
}

// logLine is what clients take a log line for.
var logLine = regexp.MustCompile(`^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d\.\d+Z *(stdout|stderr): (.*)$`)

func logChecks() []Check {
	return []Check{
		{"logs tell stream and time of each line", func(c *C) {
			id := c.run(c.doer(), J{"say": "one\ntwo ü", "cry": "three"}).want(200).id()
			r := c.record(id)
			got := map[string][]string{}
			for _, l := range r.list("logs") {
				text, _ := l.(string)
				m := logLine.FindStringSubmatch(text)
				if m == nil || len(text) < 40 || text[30:32] != " s" {
					r.wrong("line %q is no timestamp of 30 characters, stream and text", text)
				}
				got[m[1]] = append(got[m[1]], m[2])
			}
			if !slices.Equal(got["stdout"], []string{"one", "two ü"}) || !slices.Equal(got["stderr"], []string{"three"}) {
				r.wrong("logs are %q", got)
			}
		}},
		{"logs can be got alone", func(c *C) {
			id := c.run(c.doer(), J{"say": "hello"}).want(200).id()
			logs := c.record(id).list("logs")
			c.get("activations/" + id + "/logs").want(200).json(J{"logs": logs})
			if len(logs) != 1 {
				c.fatal("logs are %v", logs)
			}
		}},
		{"a blocking answer has no logs", func(c *C) {
			c.run(c.doer(), J{"say": "hello"}).want(200).field("logs", L{})
		}},
		{"an activation that says nothing has no logs", func(c *C) {
			c.record(c.run(c.doer(), nil).want(200).id()).field("logs", L{})
		}},
		{"logs of one activation are not those of the next", func(c *C) {
			name := c.action(doer)
			for i := range 3 {
				r := c.record(c.run(name, J{"say": "line " + strconv.Itoa(i)}).want(200).id())
				if logs := r.list("logs"); len(logs) != 1 || !strings.HasSuffix(fmt.Sprint(logs[0]), "stdout: line "+strconv.Itoa(i)) {
					r.wrong("logs are %v", logs)
				}
			}
		}},
		{"a log limit of 0 collects nothing", func(c *C) {
			name := c.action(doer, J{"limits": J{"logs": 0, "memory": 128}})
			c.record(c.run(name, J{"say": "hello", "cry": "hello"}).want(200).id()).field("logs", L{})
		}},
		{"logs beyond the limit are cut and say so", func(c *C) {
			name := c.action("function main() { for (let i = 0; i < 1300; i++) console.log('x'.repeat(999)); return { done: true } }",
				J{"limits": J{"logs": 1, "memory": 128}})
			r := c.record(c.run(name, nil).want(200).field("response.success", true).id())
			logs := r.list("logs")
			if len(logs) == 0 || len(logs) > 1100 {
				c.fatal("%d lines", len(logs))
			}
			const text = "Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes."
			if last := fmt.Sprint(logs[len(logs)-1]); !strings.HasSuffix(last, "stderr: "+text) {
				c.fatal("the last line is %.300q", last)
			}
		}},
		{"a developer error warns about its logs", func(c *C) {
			r := c.record(c.run(c.action("function main() { console.log('bye'); process.exit(1) }"), nil).want(502).id())
			logs := fmt.Sprint(r.list("logs"))
			if !strings.Contains(logs, "stderr: The action did not initialize or run as expected. Log data might be missing.") {
				r.wrong("no line warns")
			}
		}},
	}
}

func activationListChecks() []Check {
	return append([]Check{
		{"a row of activations has what it should and no more", func(c *C) {
			name := c.action(doer)
			id := c.run(name, nil).want(200).id()
			r := c.record(id)
			row := c.listed(name, 1).row("activationId", id)
			row.keys("activationId", "annotations", "duration", "end", "name", "namespace", "publish", "start", "statusCode", "version")
			row.field("statusCode", 0).field("name", name).field("namespace", c.ns()).field("version", "0.0.1").field("publish", false).
				field("start", r.num("start")).field("end", r.num("end")).field("duration", r.num("end")-r.num("start")).
				annotation("path", c.ns()+"/"+name)
		}},
		{"rows of activations carry the status as a number", func(c *C) {
			name := c.action(doer)
			for want, args := range []J{{}, {"give": J{"error": 1}}, {"throw": "x"}} {
				id := c.run(name, args).id()
				c.record(id)
				c.listed(name, want+1).row("activationId", id).field("statusCode", want).lacks("response", "logs", "subject")
			}
		}},
		{"rows of activations can be whole records", func(c *C) {
			name := c.action(doer)
			id := c.run(name, J{"say": "hello", "give": J{"a": 1}}).want(200).id()
			record := c.record(id)
			c.listed(name, 1)
			row := c.get("activations?docs=true&name="+name).want(200).row("activationId", id)
			row.is(record.v)
		}},
		{"activations are counted by name", func(c *C) {
			name := c.action(doer)
			for range 3 {
				c.record(c.run(name, nil).want(200).id())
			}
			c.listed(name, 3)
			c.get("activations?count=true&name=" + name).want(200).json(J{"activations": 3})
			c.get("activations?count=true&skip=2&name=" + name).want(200).json(J{"activations": 1})
		}},
		{"a count of activations has no documents", func(c *C) {
			c.get("activations?count=true&docs=true").failsLike(400, "The parameter 'docs' is not permitted with 'count'.")
		}},
		{"the latest activation is first", func(c *C) {
			name := c.action(doer)
			var want []any
			for range 3 {
				want = append(want, c.run(name, J{"sleep": 5}).want(200).id())
			}
			slices.Reverse(want)
			a := c.listed(name, 3)
			if got := a.column("activationId"); !slices.Equal(got, want) {
				a.wrong("ids are %v, want %v", got, want)
			}
			if got := c.get("activations?limit=1&skip=1&name=" + name).want(200).column("activationId"); !slices.Equal(got, want[1:2]) {
				c.fatal("%v, want %v", got, want[1:2])
			}
		}},
	}, activationFilterChecks()...)
}

func activationFilterChecks() []Check {
	const filter = "Parameter may be a 'simple' name or 'package-name/simple' name: "
	return []Check{
		{"since and upto include their millisecond", func(c *C) {
			name := c.action(doer)
			id := c.run(name, nil).want(200).id()
			start := int64(c.record(id).num("start"))
			c.listed(name, 1)
			for _, w := range []struct {
				query string
				n     int
			}{
				{"since=%d", 1}, {"upto=%d", 1}, {"since=%[1]d&upto=%[1]d", 1},
			} {
				q := fmt.Sprintf(w.query, start)
				if got := len(c.get("activations?name=" + name + "&" + q).want(200).rows()); got != w.n {
					c.fatal("%s: %d rows, want %d", q, got, w.n)
				}
			}
			for _, q := range []string{fmt.Sprintf("since=%d", start+1), fmt.Sprintf("upto=%d", start-1)} {
				c.get("activations?name=" + name + "&" + q).want(200).json(L{})
				c.get("activations?count=true&name=" + name + "&" + q).want(200).json(J{"activations": 0})
			}
		}},
		{"since and upto must be numbers", func(c *C) {
			c.get("activations?since=today").failsLike(400, "Parameter is not a valid value for epoch seconds: today")
			c.get("activations?upto=1.5").failsLike(400, "Parameter is not a valid value for epoch seconds: 1.5")
		}},
		{"a blank name filters nothing", func(c *C) {
			c.record(c.run(c.doer(), nil).want(200).id())
			c.await("a row", func() bool { return len(c.get("activations?name=").want(200).rows()) > 0 })
		}},
		{"a name that nothing has lists nothing", func(c *C) {
			c.get("activations?name=" + c.name("none")).want(200).json(L{})
		}},
		{"a name of three segments is refused", func(c *C) {
			c.get("activations?name=a/b/c").failsLike(400, filter+"a/b/c")
		}},
		{"an illegal name is refused", func(c *C) {
			c.get("activations?name=no!").failsLike(400, filter+"no!")
			c.get("activations?name=p/.a").failsLike(400, filter+"p/.a")
		}},
		{"an action in a package is listed by package and name alone", func(c *C) {
			pkg, name := c.make("packages"), c.name("a")
			c.put("actions/"+pkg+"/"+name, J{"exec": c.node(doer), "limits": small}).want(200)
			id := c.run(pkg+"/"+name, nil).want(200).field("name", name).id()
			c.record(id).annotation("path", c.ns()+"/"+pkg+"/"+name)
			c.listed(pkg+"/"+name, 1).row("activationId", id)
			c.get("activations?name=" + name).want(200).json(L{})
			c.get("activations?count=true&name=" + pkg + "/" + name).want(200).json(J{"activations": 1})
		}},
	}
}

// listed is the list of an action's activations once it has n rows.
func (c *C) listed(name string, n int) *Answer {
	c.Helper()
	var a *Answer
	c.await(fmt.Sprintf("%d rows of %s", n, name), func() bool {
		a = c.get("activations?name=" + name).want(200)
		return len(a.rows()) == n
	})
	return a
}
