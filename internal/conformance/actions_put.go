package conformance

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

func actionPutChecks() []Check {
	return []Check{
		{"a new action is answered whole", func(c *C) {
			name := c.name("a")
			before := time.Now().Add(-time.Minute).UnixMilli()
			body := J{"exec": c.node("function main() {}"), "parameters": kv("p", 1), "annotations": kv("x", 2), "publish": true}
			a := c.put("actions/"+name, body).want(200).mediaType("application/json")
			a.keys("annotations", "exec", "limits", "name", "namespace", "parameters", "publish", "updated", "version")
			a.field("name", name).field("namespace", c.ns()).field("publish", true).
				parameter("p", 1).annotation("x", 2).field("exec.kind", c.h.node).field("exec.binary", false)
			if u := a.num("updated"); u < float64(before) || u > float64(time.Now().Add(time.Minute).UnixMilli()) {
				a.wrong("updated is %v, want now in milliseconds", u)
			}
		}},
		{"an action that exists is 409", func(c *C) {
			path := "actions/" + c.make("actions")
			c.put(path, c.idle()).fails(409, exists)
			c.put(path+"?overwrite=false", c.idle()).fails(409, exists)
			c.get(path).want(200).field("version", "0.0.1")
		}},
		{"an action can be made with overwrite", func(c *C) {
			c.put("actions/"+c.name("a")+"?overwrite=true", c.idle()).want(200).field("version", "0.0.1")
		}},
		{"overwrite must be a truth value", func(c *C) {
			c.put("actions/"+c.name("a")+"?overwrite=maybe", c.idle()).failsLike(400, "'overwrite'")
		}},
		{"fields that the server sets are ignored", func(c *C) {
			name := c.name("a")
			body := c.idle()
			body["name"], body["namespace"], body["updated"], body["whatever"] = "other", "nowhere", 1, J{}
			a := c.put("actions/"+name, body).want(200).field("name", name).field("namespace", c.ns()).lacks("whatever")
			if a.num("updated") == 1 {
				a.wrong("updated is the client's")
			}
		}},
		{"an action in a package that does not exist is 404", func(c *C) {
			c.put("actions/"+c.name("p")+"/a", c.idle()).fails(404, notFound)
		}},
		{"wrong limits are told before the name's being taken", func(c *C) {
			body := c.idle()
			body["limits"] = J{"memory": 1}
			c.put("actions/"+c.make("actions"), body).failsLike(400, "memory size 1 MB below")
		}},
		{"too large parameters are told before wrong limits", func(c *C) {
			body := c.idle()
			body["limits"] = J{"memory": 1}
			body["parameters"] = kv("a", strings.Repeat("x", 1<<20))
			c.put("actions/"+c.name("a"), body).failsLike(413, "parameters larger than allowed")
		}},
		{"an update is invoked at once", func(c *C) {
			name := c.action("function main() { return { v: 0 } }")
			for v := range 3 {
				c.put("actions/"+name+"?overwrite=true", J{"exec": c.node(fmt.Sprintf("function main() { return { v: %d } }", v+1))}).want(200)
				c.run(name, nil).want(200).field("response.result", J{"v": v + 1}).field("version", fmt.Sprintf("0.0.%d", v+2))
			}
		}},
	}
}

func annotationPutChecks() []Check {
	return []Check{
		{"an action is annotated with its kind", func(c *C) {
			path := "actions/" + c.make("actions")
			c.get(path).want(200).annotation("exec", c.h.node)
			c.put(path+"?overwrite=true", J{"annotations": kv("exec", "mine")}).want(200).annotation("exec", c.h.node)
		}},
		{"a new action does not get the key", func(c *C) {
			c.get("actions/"+c.make("actions")).want(200).annotation("provide-api-key", false)
		}},
		{"a new action that asks for the key gets it", func(c *C) {
			body := c.idle()
			body["annotations"] = kv("provide-api-key", true)
			c.put("actions/"+c.name("a"), body).want(200).annotation("provide-api-key", true)
		}},
		{"an update does not annotate about the key again", func(c *C) {
			path := "actions/" + c.make("actions") + "?overwrite=true"
			c.put(path, J{"delAnnotations": L{"provide-api-key"}}).want(200).noAnnotation("provide-api-key")
			c.put(path, c.idle()).want(200).noAnnotation("provide-api-key")
		}},
		{"an update's kind is annotated", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "example/image"}}).want(200).annotation("exec", "blackbox")
			c.put("actions/"+name+"?overwrite=true", c.idle()).want(200).annotation("exec", c.h.node)
		}},
	}
}

func execPutChecks() []Check {
	refused := func(name string, exec any, status int, parts ...string) Check {
		return Check{name, func(c *C) {
			e := exec
			if f, ok := e.(func(*C) J); ok {
				e = f(c)
			}
			c.put("actions/"+c.name("a"), J{"exec": e}).failsLike(status, parts...)
		}}
	}
	const malformed = "The request content was malformed:\n"
	return []Check{
		{"a new action without exec is refused", func(c *C) {
			c.put("actions/"+c.name("a"), J{}).fails(400, "exec undefined")
			c.put("actions/"+c.name("a")+"?overwrite=true", J{"annotations": kv("a", 1)}).fails(400, "exec undefined")
		}},
		{"an unknown kind is refused with those that there are", func(c *C) {
			c.put("actions/"+c.name("a"), J{"exec": J{"kind": "cobol:60", "code": ""}}).
				failsLike(400, malformed, "The specified runtime 'cobol:60' is not supported by this platform. Valid values are: ",
					"'"+c.h.node+"'", "'sequence'", "'blackbox'")
		}},
		refused("a family without a version is no kind", J{"kind": "nodejs", "code": ""}, 400, "The specified runtime 'nodejs' is not supported by this platform."),
		refused("exec without a kind is malformed", J{"code": ""}, 400, malformed),
		refused("exec that is no object is malformed", "code", 400, malformed),
		refused("exec without code is malformed", func(c *C) J { return J{"kind": c.h.node} }, 400, malformed),
		refused("code that is no text is malformed", func(c *C) J { return J{"kind": c.h.node, "code": 7} }, 400, malformed),
		refused("a main that is no text is malformed", func(c *C) J { return J{"kind": c.h.node, "code": "", "main": 7} }, 400, malformed),
		refused("blackbox without an image is malformed", J{"kind": "blackbox"}, 400, malformed, "'image' must be a string defined in 'exec' for 'blackbox' actions"),
		refused("an image that is no text is malformed", J{"kind": "blackbox", "image": 1}, 400, malformed, "'image' must be a string defined in 'exec' for 'blackbox' actions"),
		refused("an image that is no reference is malformed", J{"kind": "blackbox", "image": "not an image!"}, 400, malformed, "could not parse image name"),
	}
}

// concurrentPutChecks are about edits at the same time.
func concurrentPutChecks() []Check {
	const n = 8
	return []Check{
		{"of many that make an action at once one does", func(c *C) {
			path, made := "actions/"+c.name("a"), 0
			for _, a := range c.atOnce(n, func() *Answer { return c.put(path, c.idle()) }) {
				if a.Status == 200 {
					made++
					continue
				}
				if text := a.want(409).str("error"); text != exists && text != concurrent {
					a.wrong("error is %q", text)
				}
			}
			if made != 1 {
				c.fatal("%d made it", made)
			}
		}},
		{"of updates at the same time none is lost silently", func(c *C) {
			path, done := "actions/"+c.make("actions"), 0
			versions := map[string]bool{}
			for _, a := range c.atOnce(n, func() *Answer { return c.put(path+"?overwrite=true", J{"annotations": kv("x", 1)}) }) {
				if a.Status == 200 {
					done++
					versions[a.str("version")] = true
					continue
				}
				a.fails(409, concurrent)
			}
			if done == 0 || len(versions) != done {
				c.fatal("%d updates made %d versions", done, len(versions))
			}
			c.get(path).want(200).field("version", fmt.Sprintf("0.0.%d", done+1))
		}},
		{"an invoke in flight keeps the code that it started with", func(c *C) {
			name := c.action(`function main() { return new Promise(done => setTimeout(() => done({ v: 1 }), 1000)) }`)
			started := c.post("actions/"+name, nil).want(202).id()
			<-time.After(300 * time.Millisecond)
			c.put("actions/"+name+"?overwrite=true", J{"exec": c.node("function main() { return { v: 2 } }")}).want(200)
			c.result(name, nil).want(200).json(J{"v": 2})
			c.record(started).field("response.result", J{"v": 1}).field("version", "0.0.1")
		}},
	}
}

const concurrent = "Concurrent modification to resource detected."

func updateChecks() []Check {
	return []Check{
		{"an update keeps what it does not give", func(c *C) {
			path := "actions/" + c.name("a")
			body := J{"exec": c.node("function main() { return { a: 1 } }"), "parameters": kv("p", 1), "publish": true, "annotations": kv("x", 2)}
			c.put(path, body).want(200)
			c.put(path+"?overwrite=true", J{"annotations": kv("y", 3)}).want(200)
			c.get(path).want(200).field("exec.code", "function main() { return { a: 1 } }").field("publish", true).
				parameter("p", 1).annotation("x", 2).annotation("y", 3)
		}},
		{"an update replaces the parameters", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["parameters"] = kv("a", 1, "b", 2)
			c.put(path, body).want(200)
			c.put(path+"?overwrite=true", J{"parameters": kv("b", 3)}).want(200).field("parameters", kv("b", 3))
			c.put(path+"?overwrite=true", J{"parameters": L{}}).want(200).field("parameters", L{})
		}},
		{"an update merges the annotations", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["annotations"] = kv("a", 1, "b", 2)
			c.put(path, body).want(200)
			c.put(path+"?overwrite=true", J{"annotations": kv("b", 3, "c", 4)}).want(200).
				annotation("a", 1).annotation("b", 3).annotation("c", 4)
		}},
		{"delAnnotations removes annotations", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["annotations"] = kv("a", 1, "b", 2)
			c.put(path, body).want(200)
			a := c.put(path+"?overwrite=true", J{"delAnnotations": L{"a", "none"}}).want(200).annotation("b", 2)
			a.noAnnotation("a")
			a.lacks("delAnnotations")
		}},
		{"delAnnotations removes before annotations are added", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["annotations"] = kv("a", 1, "b", 2)
			c.put(path, body).want(200)
			a := c.put(path+"?overwrite=true", J{"delAnnotations": L{"a", "b"}, "annotations": kv("a", 5)}).want(200).annotation("a", 5)
			a.noAnnotation("b")
		}},
	}
}

func execStoredChecks() []Check {
	return []Check{
		{"a kind is trimmed and in lower case", func(c *C) {
			c.put("actions/"+c.name("a"), J{"exec": J{"kind": " " + strings.ToUpper(c.h.node) + " ", "code": "x"}}).want(200).
				field("exec.kind", c.h.node).annotation("exec", c.h.node)
		}},
		{"a family's default is stored as the kind that it is", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": "nodejs:default", "code": "x"}}).want(200).field("exec.kind", c.h.node)
			c.get("actions/"+name).want(200).field("exec.kind", c.h.node).annotation("exec", c.h.node)
		}},
		{"empty code is stored and cannot be invoked", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": c.node(""), "limits": small}).want(200).field("exec.binary", false)
			c.run(name, nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "Missing main/no code to execute."})
		}},
		{"code that does not load is stored and cannot be invoked", func(c *C) {
			name := c.action("function main( { this is no JavaScript")
			a := c.run(name, nil).want(502).field("response.status", "action developer error").field("response.success", false)
			if text := a.str("response.result.error"); !strings.HasPrefix(text, "Initialization has failed due to: ") || !strings.Contains(text, "SyntaxError") {
				a.wrong("error is %q", text)
			}
		}},
		{"code that is base64 is binary", func(c *C) {
			code := base64.StdEncoding.EncodeToString([]byte("anything at all\x00"))
			c.put("actions/"+c.name("a"), J{"exec": c.node(code)}).want(200).field("exec.binary", true)
			c.put("actions/"+c.name("a"), J{"exec": c.node("  abcd\n")}).want(200).field("exec.binary", true)
		}},
		{"code that is no base64 is not binary whatever the client says", func(c *C) {
			for _, code := range []string{"abcde", "ab=d", "return 1", "ab\ncd+x"} {
				exec := c.node(code)
				exec["binary"] = true
				c.put("actions/"+c.name("a"), J{"exec": exec}).want(200).field("exec.binary", false)
			}
		}},
		{"code is kept to the last character", func(c *C) {
			code := strings.Repeat("// häßlich 🎈 \"\\\t\r\n", 5000)
			name := c.name("a")
			c.put("actions/"+name, J{"exec": c.node(code)}).want(200)
			c.get("actions/"+name).want(200).field("exec.code", code)
		}},
		{"code may be given as a jar", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": c.h.node, "jar": "function main() { return { jar: true } }"}, "limits": small}).want(200)
			c.get("actions/"+name).want(200).field("exec.code", "function main() { return { jar: true } }").lacks("exec.jar")
		}},
		{"the main function's name is kept", func(c *C) {
			exec := c.node("function other() { return { other: true } }")
			exec["main"] = "other"
			name := c.name("a")
			c.put("actions/"+name, J{"exec": exec, "limits": small}).want(200).field("exec.main", "other")
			c.result(name, nil).want(200).json(J{"other": true})
		}},
		{"an action without a main function's name shows none", func(c *C) {
			c.get("actions/"+c.make("actions")).want(200).lacks("exec.main", "exec.image", "exec.components")
		}},
		{"an image is kept as it is given", func(c *C) {
			for _, image := range []string{"example/image", "registry.example.com:5000/a/b:1.2", "image"} {
				c.put("actions/"+c.name("a"), J{"exec": J{"kind": "blackbox", "image": image}}).want(200).
					field("exec.image", image).field("exec.kind", "blackbox")
			}
		}},
		{"a blackbox action without code has none", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "example/image"}}).want(200).lacks("exec.code")
			c.get("actions/"+name).want(200).lacks("exec.code").field("exec.binary", false)
			other := c.name("a")
			c.put("actions/"+other, J{"exec": J{"kind": "blackbox", "image": "example/image", "code": " "}}).want(200)
			c.get("actions/" + other).want(200).lacks("exec.code")
		}},
		{"a blackbox action may have code", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "#!/bin/sh\necho '{}'\n"}}).want(200)
			c.get("actions/"+name).want(200).field("exec.code", "#!/bin/sh\necho '{}'\n").field("exec.image", "openwhisk/dockerskeleton")
		}},
	}
}
