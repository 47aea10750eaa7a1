package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newAPICmd() *cobra.Command {
	cmd, f := newClientGroup("api", "work with APIs", `An API gives web actions URLs of their own. It has a base path, and under it paths
with verbs, each of which runs a web action.

  hearth action update hello --web true
  hearth api create /greeting /hello get hello    # prints the URL
  hearth api create /greeting /hello/{name} get hello --response-type http
  hearth api list
  hearth api delete /greeting /hello get`)
	cmd.AddCommand(newAPICreateCmd(f), newAPIGetCmd(f), newAPIDeleteCmd(f), newAPIListCmd(f))
	completeFirst(cmd, f, listBasePaths, "get", "delete", "list")
	completeFlag(cmd, f, "response-type", listOf("json", "http", "html", "svg", "text"))
	completeFlag(cmd, f, "format", listOf("json", "yaml"))
	return cmd
}

// routeQuery returns a query with the account's gateway credentials.
func (s *session) routeQuery() client.RouteQuery {
	uuid, _, _ := strings.Cut(s.account.auth, ":")
	return client.RouteQuery{AccessToken: s.account.token, SpaceID: uuid}
}

// apiVerbs are the verbs that an API may have.
const apiVerbs = "DELETE GET HEAD OPTIONS PATCH POST PUT"

// apiVerb returns a verb in capitals.
func apiVerb(verb string) (string, error) {
	for v := range strings.FieldsSeq(apiVerbs) {
		if strings.EqualFold(v, verb) {
			return v, nil
		}
	}
	return "", refuse(exitGeneral, "'%s' is not a valid API verb.  Valid values are: [%s]", verb, apiVerbs)
}

func checkAPIPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return refuse(exitGeneral, "'%s' must begin with '/'.", path)
	}
	return nil
}

// selectRoutes reads BASE_PATH | API_NAME [API_PATH [API_VERB]].
func (s *session) selectRoutes(args []string) (q client.RouteQuery, err error) {
	q = s.routeQuery()
	q.BasePath = args[0]
	if len(args) > 1 {
		if err := checkAPIPath(args[1]); err != nil {
			return q, err
		}
		q.Path = args[1]
	}
	if len(args) > 2 {
		q.Method, err = apiVerb(args[2])
	}
	return q, err
}

// failedAPI is failed for the commands of APIs, which exit with 1 whatever the
// server said.
func failedAPI(err error, format string, args ...any) error {
	code := exitGeneral
	if exitCode(err) == exitInterrupted {
		code = exitInterrupted
	}
	return &exitError{code: code, err: failed(err, format, args...)}
}

func newAPIDeleteCmd(f *clientFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "delete BASE_PATH | API_NAME [API_PATH [API_VERB]]",
		Short: "delete an API",
		Long:  "Delete an API, or one of its paths, or one verb of a path. With its last path an API is gone.",
		RunE: f.run(func(ctx context.Context, s *session, args []string) error {
			if err := wordCount(args, 1, 3, "An API base path or API name is required.  An optional API relative path and operation may also be provided."); err != nil {
				return err
			}
			q, err := s.selectRoutes(args)
			if err != nil {
				return err
			}
			ctx, cancel := within(ctx)
			defer cancel()
			if err := s.DeleteRoutes(ctx, q); err != nil {
				return failedAPI(err, "Unable to delete API")
			}
			switch {
			case q.Path == "":
				s.out.printf("ok: deleted API %s\n", q.BasePath)
			case q.Method == "":
				s.out.printf("ok: deleted %s from %s\n", q.Path, q.BasePath)
			default:
				s.out.printf("ok: deleted %s %s from %s\n", q.Path, q.Method, q.BasePath)
			}
			return nil
		}),
	}
}

func newAPIGetCmd(f *clientFlags) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get BASE_PATH | API_NAME",
		Short: "get API details",
		Long:  "Get the Swagger document of an API, which \"hearth api create --config-file\" takes.",
	}
	full := cmd.Flags().BoolP("full", "f", false, "display full API configuration details")
	format := cmd.Flags().String("format", "json", "Specify the API output `TYPE`, either json or yaml")
	cmd.RunE = f.run(func(ctx context.Context, s *session, args []string) error {
		if err := wordCount(args, 1, 1, "An API base path or API name is required."); err != nil {
			return err
		}
		asYAML := strings.EqualFold(*format, "yaml")
		if !asYAML && !strings.EqualFold(*format, "json") {
			return sorry("Invalid format type: %s", *format)
		}
		q, err := s.selectRoutes(args)
		if err != nil {
			return err
		}
		ctx, cancel := within(ctx)
		defer cancel()
		list, err := s.APIs(ctx, q)
		if err != nil {
			return failedAPI(err, "Unable to get API '%s'", args[0])
		}
		var shown any
		switch {
		case len(list) > 0 && *full:
			shown = list[0]
		case len(list) > 0 && list[0].Doc != nil:
			shown = list[0].Doc
		default:
			return sorry("API does not exist for basepath %s", args[0])
		}
		if asYAML {
			return s.out.yaml(shown)
		}
		s.out.json(shown)
		return nil
	})
	return cmd
}
