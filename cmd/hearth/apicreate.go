package main

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/client/deploy"
	"hearth/whisk"
)

// maxSwagger bounds a file that describes an API.
const maxSwagger = deploy.MaxYAML

// apiFlags are the flags of api create.
type apiFlags struct{ name, file, response string }

func newAPICreateCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create ([BASE_PATH] API_PATH API_VERB ACTION) | --config-file CFG_FILE",
		Short: "create a new API",
		Long: `Let a verb on a path run a web action, or take a whole API from a Swagger
document. Paths may have {parameters}; these need --response-type http, which
also lets the action say status and headers.`,
		Example: `  hearth api create /greeting /hello get hello
  hearth api create /greeting /hello/{name} get hello --response-type http
  hearth api create --config-file greeting.json`,
	}
	var a apiFlags
	fs := cmd.Flags()
	fs.StringVarP(&a.name, "apiname", "n", "", "Friendly name of the API; ignored when CFG_FILE is specified (default BASE_PATH)")
	fs.StringVarP(&a.file, "config-file", "c", "", "`CFG_FILE` containing API configuration in swagger JSON format")
	fs.StringVar(&a.response, "response-type", "json", "Set the web action response `TYPE`. Possible values are html, http, json, text, svg")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		ctx, cancel := within(ctx)
		defer cancel()
		const required = "Specify a swagger file or specify an API base path with an API path, an API verb, and an action name."
		if len(args) == 0 && a.file != "" {
			return s.createSwagger(ctx, &a)
		}
		if err := wordCount(args, 3, 4, required); err != nil {
			return err
		}
		return s.createRoute(ctx, &a, args)
	})
	return cmd
}

func (s *session) createRoute(ctx context.Context, f *apiFlags, args []string) error {
	r, action, err := s.parseRoute(f, args)
	if err != nil {
		return refuse(exitCode(err), "Unable to parse api command arguments: %w", err)
	}
	a, err := s.Action(ctx, action.action(), false)
	if err != nil {
		return refuse(exitGeneral, "Unable to get action '%s': %w", action, err)
	}
	if !a.Web() {
		return refuse(exitGeneral, "Action '%s' is not a web action. Issue 'hearth action update \"%s\" --web true' to convert the action to a web action.", action, action)
	}
	r.Action.SecureKey, _ = whisk.Parameters(a.Annotations).Get(webAuth)
	q := s.routeQuery()
	q.ResponseType = f.response
	api, err := s.CreateRoute(ctx, r, q)
	if err != nil {
		return failedAPI(err, "Unable to create API")
	}
	s.out.printf("ok: created API %s%s %s for action %s\n%s%s\n",
		strings.TrimSuffix(r.BasePath, "/"), r.Path, r.Method, action, strings.TrimSuffix(api.URL, "/"), r.Path)
	return nil
}

// parseRoute reads [BASE_PATH] API_PATH API_VERB ACTION. A base path without a
// slash is the name of an API that is there.
func (s *session) parseRoute(f *apiFlags, args []string) (*client.Route, entityName, error) {
	r := &client.Route{Namespace: "_", BasePath: "/", APIName: f.name}
	named := false
	if len(args) == 4 {
		r.BasePath, args = args[0], args[1:]
		named = !strings.HasPrefix(r.BasePath, "/")
		if len(deploy.PathParameters(r.BasePath)) > 0 {
			return nil, entityName{}, refuse(exitGeneral, "The base path '%s' cannot have parameters. Only the relative path supports path parameters.", r.BasePath)
		}
	}
	if err := checkAPIPath(args[0]); err != nil {
		return nil, entityName{}, err
	}
	r.Path, r.PathParameters = args[0], deploy.PathParameters(args[0])
	if len(r.PathParameters) > 0 && f.response != "http" {
		return nil, entityName{}, refuse(exitGeneral, "A response type of 'http' is required when using path parameters.")
	}
	var err error
	if r.Method, err = apiVerb(args[1]); err != nil {
		return nil, entityName{}, err
	}
	n, err := parseEntityName(args[2])
	switch {
	case err != nil:
		return nil, n, refuse(exitGeneral, "'%s' is not a valid action name: %w", args[2], err)
	case n.Name == "":
		return nil, n, refuse(exitGeneral, "'%s' is not a valid action name.", args[2])
	}
	switch {
	case !named:
		r.ID = "API:_:" + r.BasePath
	case f.name != "":
		return nil, n, refuse(exitGeneral, "An API name can only be specified once.")
	}
	r.Action, err = deploy.RouteAction(s.account.host, s.account.auth, r.Method, n.action())
	return r, n, err
}

func (s *session) createSwagger(ctx context.Context, f *apiFlags) error {
	doc, err := readSwagger(f.file)
	if err != nil {
		return refuse(exitCode(err), "Unable to parse swagger file: %w", err)
	}
	q := s.routeQuery()
	q.ResponseType = f.response
	api, err := s.CreateRoute(ctx, &client.Route{Namespace: "_", Swagger: string(doc)}, q)
	if err != nil {
		return failedAPI(err, "Unable to create API")
	}
	base := strings.TrimSuffix(api.Doc.BasePath, "/")
	for _, path := range slices.Sorted(maps.Keys(api.Doc.Paths)) {
		all := api.Doc.Paths[path].Operations()
		for _, verb := range slices.Sorted(maps.Keys(all)) {
			s.out.printf("ok: created API %s%s %s", base, path, verb)
			if t := all[verb].Target; t != nil {
				s.out.printf(" for action %s", t)
			}
			s.out.printf("\n%s%s\n", strings.TrimSuffix(api.URL, "/"), path)
		}
	}
	return nil
}

// readSwagger reads a Swagger document in JSON or, by the file's name, YAML.
func readSwagger(name string) (json.RawMessage, error) {
	b, err := readBounded(name, maxSwagger)
	if err != nil {
		return nil, refuse(exitCode(err), "Error reading swagger file '%s': %w", name, err)
	}
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		if b, err = deploy.YAMLToJSON(b); err != nil {
			return nil, sorry("Unable to parse YAML configuration file: %w", err)
		}
	}
	if err := whisk.CheckJSON(b, maxDepth); err != nil {
		return nil, refuse(exitGeneral, "Error parsing swagger file '%s': %w", name, err)
	}
	return b, deploy.CheckSwagger(b)
}
