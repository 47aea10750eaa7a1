package deploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

func (k *packageBuilder) actions() error {
	for _, key := range sortedKeys(k.m.Actions) {
		name, err := k.entity("action", key)
		if err != nil {
			return err
		}
		a, err := k.action(name, k.m.Actions[key])
		if err != nil {
			return fmt.Errorf("action %q: %w", name, err)
		}
		k.Actions = append(k.Actions, Planned[client.Action]{name, a})
	}
	return nil
}

func (k *packageBuilder) action(name string, m *Action) (*client.Action, error) {
	exec, err := k.exec(name, m)
	if err != nil {
		return nil, err
	}
	a := &client.Action{Exec: exec, Publish: new(false), Version: k.expand(m.Version), Limits: k.limits(m.Limits)}
	a.Parameters = params(k.resolve(m.Inputs, k.scope, false))
	a.Annotations = k.plan.mark.on(k.annotations(k.scope, m.Annotations))
	web := m.Web
	if web == "" {
		web = m.WebExport
	} else if m.WebExport != "" {
		k.warn("[%s] has both web and web-export specified, only reading web, ignoring web-export.", name)
	}
	if err := setWeb(a, web); err != nil {
		return nil, err
	}
	if secret, ok := whisk.Parameters(a.Annotations).Get("require-whisk-auth"); ok && !isSecret(secret) {
		return nil, fmt.Errorf("the annotation require-whisk-auth is a text, a positive integer, or a boolean, not %s", secret)
	}
	if m.Conductor {
		a.Annotations = whisk.Parameters(a.Annotations).Set("conductor", json.RawMessage("true"))
	}
	return a, nil
}

// limits returns those that a request can set, nil if there are none.
func (k *packageBuilder) limits(m *Limits) *client.Limits {
	if m == nil {
		return nil
	}
	for _, fixed := range []struct {
		name  string
		value *int
	}{
		{"concurrentActivations", m.ConcurrentActivations}, {"userInvocationRate", m.UserInvocationRate},
		{"codeSize", m.CodeSize}, {"parameterSize", m.ParameterSize},
	} {
		if fixed.value != nil {
			k.warn("Action Limit [%s] is currently not changeable. Ignoring...", fixed.name)
		}
	}
	l := client.Limits{Timeout: m.Timeout, Memory: m.Memory, Logs: m.Logs}
	if l == (client.Limits{}) {
		return nil
	}
	return &l
}

// exec reads an action's code and says how to run it.
func (k *packageBuilder) exec(name string, m *Action) (*client.Exec, error) {
	e := &client.Exec{Main: k.expand(m.Main)}
	file := k.expand(m.Function)
	if file == "" {
		file = k.expand(m.Location)
	}
	image := k.expand(m.Docker)
	if m.Native {
		image = whisk.SkeletonImage
	}
	switch {
	case m.Docker != "" && image == "":
		return nil, fmt.Errorf("docker %q comes to no image", m.Docker)
	case m.Code != "" && file != "":
		return nil, errors.New("it has both code and function")
	case m.Code != "":
		e.Code = &m.Code
	case file != "":
		code, zipped, err := k.readCode(name, m, file)
		if err != nil {
			return nil, err
		}
		if e.Code = &code; zipped {
			file += ".zip"
		}
		if k.code += len(code); k.code > maxCode {
			return nil, fmt.Errorf("with it the project's code has more than %d bytes", maxCode)
		}
	case image == "":
		return nil, errors.New("it has neither function, code nor docker")
	}
	if image != "" {
		e.Kind, e.Image = whisk.Blackbox, image
		return e, nil
	}
	var err error
	e.Kind, err = k.kind(name, k.expand(m.Runtime), file)
	return e, err
}

// maxCode bounds the code of all actions of a project.
const maxCode = 512 << 20

// readCode returns the code of a file, or of a folder, which is zipped.
func (k *packageBuilder) readCode(name string, m *Action, file string) (code string, zipped bool, err error) {
	if strings.Contains(file, "://") {
		return "", false, fmt.Errorf("function %q: nothing is fetched from elsewhere; save it beside the manifest", file)
	}
	st, err := k.files.stat(file)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return "", false, fmt.Errorf("function %q: %w", file, err)
	}
	var b []byte
	if zipped = st.IsDir(); zipped {
		include := slices.DeleteFunc(slices.Clone(m.Include), func(pair []string) bool { return len(pair) < 1 || len(pair) > 2 })
		if len(include) < len(m.Include) {
			k.warn("[%s] has an include that is not [source] or [source, destination]. Ignoring...", name)
		}
		var left []string
		b, left, err = k.files.zipFolder(file, include, m.Exclude)
		for i, l := range left {
			if i == 3 {
				k.warn("[%s] lacks %d more files that are none, or links to none", name, len(left)-i)
				break
			}
			k.warn("[%s] lacks %s, which is no file, or a link to none of the project's", name, l)
		}
		file += ".zip"
	} else {
		b, err = k.files.read(file, client.MaxCode)
	}
	if err != nil {
		return "", false, fmt.Errorf("function: %w", err)
	}
	code, ok := client.CodeText(file, b)
	if !ok {
		return "", false, fmt.Errorf("function: %s is neither text in UTF-8 nor a zip archive nor an executable", file)
	}
	return code, zipped, nil
}

// kind returns the kind for code in a file, "" for code in the manifest. One
// that the server does not have, or that does not suit the file's name, gives
// way to the name's default, but for strict targets.
func (k *packageBuilder) kind(name, runtime, file string) (string, error) {
	family := client.KindFamily(file)
	ext := strings.TrimPrefix(path.Ext(file), ".")
	wanted, _, hasVersion := strings.Cut(runtime, ":")
	known := k.knows(runtime)
	switch {
	case runtime == "" && family == "" && ext == "zip":
		return "", errors.New("a zip, or a folder, needs a runtime")
	case runtime == "" && file == "":
		return "", errors.New("code in the manifest needs a runtime")
	case runtime == "" && family == "":
		return "", fmt.Errorf("it has no runtime, and the extension [%s] names none", ext)
	case runtime == "":
		return family + ":default", nil
	case k.target.Strict:
		return runtime, nil
	case known && !hasVersion:
		runtime += ":default"
	}
	switch {
	case known && (family == "" || family == wanted):
		return runtime, nil
	case family == "":
		return "", fmt.Errorf("the server has no runtime [%s]; it has %s", runtime, strings.Join(k.kinds(), ", "))
	case known:
		k.warn("Runtime [%s] specified in manifest does not match with action's source file extension [%s] for action [%s].", runtime, ext, name)
	default:
		k.warn("Invalid or missing runtime [%s] specified in manifest for the action [%s].", runtime, name)
	}
	k.warn("Runtime changed to [%s:default] based on the action's source file extension for action [%s].", family, name)
	return family + ":default", nil
}

// knows reports whether the server has a kind, a family's default, or any kind
// of a family. What is not known of a server is taken to be there.
func (k *packageBuilder) knows(runtime string) bool {
	family, version, _ := strings.Cut(runtime, ":")
	if len(k.target.Runtimes) == 0 {
		return true
	}
	if version == "" || version == "default" {
		return len(k.target.Runtimes[family]) > 0
	}
	return slices.Contains(k.kinds(), runtime)
}

func (k *packageBuilder) kinds() []string {
	var out []string
	for _, family := range sortedKeys(k.target.Runtimes) {
		out = append(out, k.target.Runtimes[family]...)
	}
	return out
}

// setWeb makes a web action, a raw one, or none of a; "" leaves it as it is.
func setWeb(a *client.Action, mode string) error {
	web, raw := true, false
	switch strings.ToLower(mode) {
	case "":
		return nil
	case "true", "yes":
	case "raw":
		raw = true
	case "false", "no":
		web = false
	default:
		return fmt.Errorf("web is true, yes, raw, false or no, not %q", mode)
	}
	b := func(v bool) json.RawMessage { return json.RawMessage(strconv.FormatBool(v)) }
	a.Annotations = whisk.Parameters(a.Annotations).Merge(whisk.Parameters{
		{Key: "web-export", Value: b(web)}, {Key: "raw-http", Value: b(raw)}, {Key: "final", Value: b(web)},
	})
	return nil
}

// isSecret reports whether v can guard a web action.
func isSecret(v json.RawMessage) bool {
	switch v = bytes.TrimSpace(v); {
	case string(v) == "true", string(v) == "false":
		return true
	case len(v) > 2 && v[0] == '"':
		return true
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	return err == nil && n > 0 && n < 1<<53-1
}
