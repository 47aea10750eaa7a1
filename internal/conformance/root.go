package conformance

import (
	"net/http"
	"strings"
)

func rootChecks() []Check {
	return []Check{
		{"ping answers pong to anybody", func(c *C) {
			c.req("GET", "/ping").anonymous().do().want(200).mediaType("text/plain; charset=UTF-8").text("pong")
		}},
		{"ping ignores wrong credentials", func(c *C) {
			c.req("GET", "/ping").withKey("nobody:nothing").do().want(200).text("pong")
		}},
		{"the root says what the platform is", func(c *C) {
			c.req("GET", "/").anonymous().do().want(200).
				field("description", "OpenWhisk").
				field("support.github", "https://github.com/apache/openwhisk/issues").
				field("support.slack", "http://slack.openwhisk.org").
				field("api_paths", L{"/api/v1"})
		}},
		{"the root is of a type that clients take for JSON", func(c *C) {
			a := c.req("GET", "/").anonymous().do().want(200).has("limits", "runtimes")
			if !strings.Contains(a.Header.Get("Content-Type"), "application/json") {
				a.wrong("Content-Type is %q", a.Header.Get("Content-Type"))
			}
		}},
		{"the root names all limits", func(c *C) {
			limits := c.req("GET", "/").anonymous().do().want(200).at("limits")
			for _, name := range []string{
				"actions_per_minute", "triggers_per_minute", "concurrent_actions", "sequence_length",
				"default_min_action_duration", "default_max_action_duration", "default_min_action_memory",
				"default_max_action_memory", "default_min_action_logs", "default_max_action_logs",
				"min_action_duration", "max_action_duration", "min_action_memory", "max_action_memory",
				"min_action_logs", "max_action_logs",
			} {
				limits.num(name)
			}
		}},
		{"the root gives memory and logs in bytes and durations in milliseconds", func(c *C) {
			root := c.req("GET", "/").anonymous().do().want(200).at("limits")
			ns := c.get("limits").want(200)
			root.field("default_max_action_memory", ns.num("maxActionMemory")*(1<<20))
			root.field("default_min_action_memory", ns.num("minActionMemory")*(1<<20))
			root.field("default_max_action_logs", ns.num("maxActionLogs")*(1<<20))
			root.field("default_max_action_duration", ns.num("maxActionTimeout"))
			root.field("default_min_action_duration", ns.num("minActionTimeout"))
		}},
		{"the root describes each kind", func(c *C) {
			for _, r := range c.req("GET", "/").anonymous().do().want(200).at("runtimes", "nodejs").rows() {
				r.keys("attached", "default", "deprecated", "image", "kind", "requireMain")
				if kind := r.str("kind"); !strings.HasPrefix(kind, "nodejs:") {
					r.wrong("kind is %q", kind)
				}
				r.field("requireMain", false)
			}
		}},
		{"each family of kinds has one default", func(c *C) {
			a := c.req("GET", "/").anonymous().do().want(200)
			families, _ := a.at("runtimes").v.(map[string]any)
			if len(families) == 0 {
				a.wrong("no runtimes")
			}
			for family := range families {
				kinds, defaults := a.at("runtimes", family).rows(), 0
				for _, k := range kinds {
					if v, _ := k.lookup("default"); v == true {
						defaults++
					}
				}
				if defaults != 1 && len(kinds) > 1 || defaults > 1 {
					a.wrong("family %s has %d defaults", family, defaults)
				}
			}
		}},
		{"an unknown path is 404", func(c *C) {
			c.req("GET", "/nothing-here").anonymous().do().failsLike(404, "The requested resource could not be found.")
		}},
		{"an unknown path of the API is 404", func(c *C) {
			c.get("/api/v1/nothing-here").failsLike(404, "The requested resource could not be found.")
		}},
		{"another version of the API is 404", func(c *C) {
			c.get("/api/v2/namespaces").failsLike(404)
		}},
		{"a URI beyond 8 KiB is refused", func(c *C) {
			a := c.get("actions?" + strings.Repeat("x", 9<<10))
			if a.Status != http.StatusRequestURITooLong && a.Status != http.StatusBadRequest {
				a.wrong("want 414")
			}
		}},
		{"HEAD is not GET", func(c *C) {
			a := c.req("HEAD", "actions").do()
			if a.Status != http.StatusMethodNotAllowed && a.Status != http.StatusNotFound {
				a.wrong("want 405")
			}
		}},
	}
}

func descriptionChecks() []Check {
	return []Check{
		{"the API says its version", func(c *C) {
			c.req("GET", "/api/v1").anonymous().do().want(200).
				field("description", "OpenWhisk API").field("api_version", "1.0.0").field("api_version_path", "v1").
				field("swagger_paths", J{"ui": "/docs", "api-docs": "/api-docs"})
		}},
		{"the API's build is a date", func(c *C) {
			a := c.req("GET", "/api/v1").anonymous().do().want(200)
			if !strings.HasPrefix(a.str("build"), "20") {
				a.wrong("build does not begin with 20")
			}
			a.str("buildno")
		}},
		{"the API has a Swagger document", func(c *C) {
			a := c.req("GET", "/api/v1/api-docs").anonymous().do().want(200).field("swagger", "2.0").has("info.title")
			if paths, _ := a.at("paths").v.(map[string]any); len(paths) < 10 {
				a.wrong("%d paths", len(paths))
			}
		}},
		{"the Swagger document tells of each collection", func(c *C) {
			paths := c.req("GET", "/api/v1/api-docs").anonymous().do().want(200).at("paths")
			for _, collection := range []string{"actions", "packages", "triggers", "rules", "activations"} {
				paths.at("/namespaces/{namespace}/"+collection, "get")
			}
		}},
		{"the root has a Swagger document of its own", func(c *C) {
			c.req("GET", "/api-docs").anonymous().do().want(200).field("swagger", "2.0").has("paths")
		}},
	}
}

func requestIDChecks() []Check {
	return []Check{
		{"a request's id is echoed", func(c *C) {
			id := "Check_" + c.name("id")
			c.req("GET", "namespaces").set("X-Request-ID", id).do().header("X-Request-ID", id)
		}},
		{"a request's id is the code of its error", func(c *C) {
			id := "Check_" + c.name("id")
			c.req("GET", "actions/"+c.name("none")).set("X-Request-ID", id).do().
				fails(404, notFound).header("X-Request-ID", id).field("code", id)
		}},
		{"a request without an id is given one of its own", func(c *C) {
			one, two := c.get("/ping").want(200), c.get("/ping").want(200)
			a, b := one.Header.Get("X-Request-ID"), two.Header.Get("X-Request-ID")
			if len(a) < 16 || a == b {
				one.wrong("ids are %q and %q", a, b)
			}
		}},
		{"a request's id that looks like a system's is replaced", func(c *C) {
			a := c.req("GET", "/ping").set("X-Request-ID", "sid_invokerHealth").do().want(200).hasHeader("X-Request-ID")
			if id := a.Header.Get("X-Request-ID"); strings.HasPrefix(id, "sid_") {
				a.wrong("X-Request-ID is %q", id)
			}
		}},
		{"a request's id with other characters is replaced", func(c *C) {
			c.hearthOnly()
			for _, bad := range []string{"a b", "a.b", "a{b", strings.Repeat("x", 65)} {
				a := c.req("GET", "/ping").set("X-Request-ID", bad).do().want(200).hasHeader("X-Request-ID")
				if a.Header.Get("X-Request-ID") == bad {
					a.wrong("X-Request-ID is %q", bad)
				}
			}
		}},
	}
}
