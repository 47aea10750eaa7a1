package conformance

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Texts that many checks want.
const (
	notFound = "The requested resource does not exist."
	exists   = "resource already exists"
)

func errorChecks() []Check {
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	refused := func(c *C, authorization string) {
		c.Helper()
		c.req("GET", "actions").anonymous().set("Authorization", authorization).do().
			failsLike(401, "The supplied authentication is invalid").
			header("WWW-Authenticate", `Basic realm="OpenWhisk secure realm"`)
	}
	return append([]Check{
		{"no credentials is 401 with a challenge", func(c *C) {
			c.req("GET", "actions").anonymous().do().
				failsLike(401, "The resource requires authentication, which was not supplied with the request").
				header("WWW-Authenticate", `Basic realm="OpenWhisk secure realm"`)
		}},
		{"an unknown uuid is 401", func(c *C) {
			refused(c, basic("00000000-0000-4000-8000-000000000000:"+strings.Repeat("a", 64)))
		}},
		{"the wrong key of a known uuid is 401", func(c *C) {
			uuid, _, _ := strings.Cut(c.h.own.Key, ":")
			refused(c, basic(uuid+":"+strings.Repeat("a", 64)))
		}},
		{"the right key with one more character is 401", func(c *C) { refused(c, basic(c.h.own.Key+"a")) }},
		{"a known uuid without its key is 401", func(c *C) {
			uuid, _, _ := strings.Cut(c.h.own.Key, ":")
			refused(c, basic(uuid+":"))
		}},
		{"credentials that are no base64 are 401", func(c *C) {
			c.req("GET", "actions").anonymous().set("Authorization", "Basic !!!").do().failsLike(401)
		}},
		{"credentials of another scheme are 401", func(c *C) {
			c.req("GET", "actions").anonymous().set("Authorization", "Bearer "+c.h.own.Key).do().failsLike(401)
		}},
		{"credentials are asked for before a name is looked at", func(c *C) {
			c.req("GET", in(c.ns(), "actions/"+c.name("none"))).anonymous().do().failsLike(401)
		}},
		{"a missing entity is 404 with the default text", func(c *C) {
			c.get("actions/"+c.name("none")).fails(404, notFound)
			c.get("triggers/"+c.name("none")).fails(404, notFound)
		}},
		{"an unknown collection is 404", func(c *C) {
			c.get("things").failsLike(404, "The requested resource could not be found.")
		}},
		{"an error is JSON of error and code only", func(c *C) {
			c.get("actions/"+c.name("none")).fails(404, notFound).mediaType("application/json").keys("code", "error")
		}},
		{"a trailing slash is no entity", func(c *C) {
			c.get("triggers/" + c.name("none") + "/").failsLike(404)
			c.get("rules/" + c.name("none") + "/").failsLike(404)
		}},
		{"a collection may end in a slash", func(c *C) {
			for _, collection := range []string{"actions", "triggers", "rules", "packages", "activations"} {
				c.get(collection + "/?limit=1").want(200).rows()
				c.get(collection + "?limit=1").want(200).rows()
			}
		}},
		{"a query parameter that is no boolean is 400", func(c *C) {
			c.get("actions?count=perhaps").failsLike(400, "The query parameter 'count' was malformed")
		}},
	}, bodyErrorChecks()...)
}

func bodyErrorChecks() []Check {
	return []Check{
		{"JSON that does not parse is 400", func(c *C) {
			c.req("PUT", "actions/"+c.name("a")).raw("application/json", `{"exec":`).do().
				failsLike(400, "The request content was malformed:\n")
		}},
		{"something behind the JSON is 400", func(c *C) {
			c.req("PUT", "actions/"+c.name("a")).raw("application/json", `{} {}`).do().
				failsLike(400, "The request content was malformed:\n")
		}},
		{"a body that is no object is 400", func(c *C) {
			for _, body := range []string{`[]`, `"text"`, `1`} {
				c.req("PUT", "actions/"+c.name("a")).raw("application/json", body).do().
					failsLike(400, "The request content was malformed:\n")
			}
		}},
		{"a PUT without a body is 400", func(c *C) {
			c.req("PUT", "actions/"+c.name("a")).raw("application/json", "").do().failsLike(400)
		}},
		{"a PUT of another media type is 415", func(c *C) {
			c.req("PUT", "actions/"+c.name("a")).raw("text/plain", `{}`).do().
				failsLike(415, "The request's Content-Type is not supported.", "application/json")
		}},
		{"a POST of another media type is 415", func(c *C) {
			c.req("POST", "actions/"+c.doer()).raw("application/x-www-form-urlencoded", `a=b`).do().
				failsLike(415, "The request's Content-Type is not supported.", "application/json")
		}},
		{"JSON with a charset is JSON", func(c *C) {
			c.req("POST", "actions/"+c.doer()+"?blocking=true&result=true").
				raw("application/json; charset=utf-8", `{"a":"ü"}`).do().want(200).json(J{"a": "ü"})
		}},
		{"an Accept that leaves out JSON is 406", func(c *C) {
			c.req("GET", "actions").set("Accept", "text/html").do().
				failsLike(406, "Resource representation is only available with these types:\napplication/json")
		}},
		{"an Accept that takes all or JSON among others is fine", func(c *C) {
			for _, accept := range []string{"*/*", "application/*", "text/html, application/json;q=0.1"} {
				c.req("GET", "actions?limit=1").set("Accept", accept).do().want(200).rows()
			}
		}},
		{"a method that a collection has not is 405", func(c *C) {
			for _, collection := range []string{"actions", "triggers", "rules", "packages"} {
				notAllowed(c.post(collection, J{}))
				notAllowed(c.delete(collection))
			}
		}},
		{"a method that an entity has not is 405", func(c *C) {
			notAllowed(c.req("PATCH", "actions/"+c.name("a")).json(J{}).do())
			notAllowed(c.req("PATCH", "rules/"+c.name("a")).json(J{}).do())
		}},
		{"JSON of more levels than 512 is 400", func(c *C) {
			c.hearthOnly()
			deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
			c.req("POST", "actions/"+c.doer()).raw("application/json", deep(512)).do().want(202)
			c.req("POST", "actions/"+c.doer()).raw("application/json", deep(513)).do().failsLike(400, "The request content was malformed:\n")
		}},
		{"a body that is compressed is 415", func(c *C) {
			c.hearthOnly()
			c.req("POST", "actions/"+c.doer()).set("Content-Encoding", "gzip").raw("application/json", "{}").do().failsLike(415)
		}},
		{"a body beyond 50 MB is 413 before it is sent", func(c *C) {
			status := c.announce("PUT", "/api/v1/namespaces/_/actions/"+c.name("a"), 66<<20)
			if status != http.StatusRequestEntityTooLarge {
				c.fatal("status %d, want 413", status)
			}
		}},
	}
}

// notAllowed wants 405, or 404 of a host that is not Hearth.
func notAllowed(a *Answer) {
	a.c.Helper()
	if !a.c.h.hearth && a.Status == http.StatusNotFound {
		return
	}
	a.failsLike(http.StatusMethodNotAllowed, "method")
}

// announce sends the head of a request whose body is to be n bytes, and no
// body, and returns the status of the answer.
func (c *C) announce(method, path string, n int64) int {
	c.Helper()
	u, err := url.Parse(c.h.url)
	if err != nil {
		c.fatal("%v", err)
	}
	port := u.Port()
	dial := (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	if u.Scheme == "https" {
		dial = (&tls.Dialer{}).DialContext
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	conn, err := dial(c.Context(), "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		c.fatal("%v", err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	req, err := http.NewRequestWithContext(c.Context(), method, c.h.url+path, http.NoBody)
	if err != nil {
		c.fatal("%v", err)
	}
	user, password, _ := strings.Cut(c.h.own.Key, ":")
	req.SetBasicAuth(user, password)
	head := method + " " + path + " HTTP/1.1\r\nHost: " + u.Host + "\r\nAuthorization: " + req.Header.Get("Authorization") +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.FormatInt(n, 10) + "\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		c.fatal("%v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	if err != nil {
		c.fatal("no answer to the head of a request: %v", err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
