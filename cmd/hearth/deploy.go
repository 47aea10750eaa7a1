package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hearth/client"
	"hearth/client/deploy"
	"hearth/whisk"
)

// deployFlags are the flags of all commands that work on projects.
type deployFlags struct {
	clientFlags
	manifest, deployment, project, name, namespace string
	strict, preview, managed                       bool
	params                                         pairs
}

const deployHelp = `A project is a folder with a file manifest.yaml that names its packages, actions,
sequences, triggers, rules and APIs, and the files of their code:

  project:
    name: shop
    packages:
      orders:
        inputs: {currency: EUR}
        actions:
          place: {function: place.js, web: true, inputs: {key: $SHOP_KEY}}
          tidy: {function: tidy, runtime: python:default}   # a folder is zipped
        sequences:
          all: {actions: "place, tidy"}
        triggers:
          nightly: {feed: /whisk.system/alarms/alarm, inputs: {cron: "0 3 * * *"}}
        rules:
          clean: {trigger: nightly, action: tidy}

These manifests are those of OpenWhisk's wskdeploy. A file deployment.yaml of
the same form may give other inputs and annotations; $NAME and ${NAME} are taken
from the environment, or from the inputs of the package or project, and --param
goes over all. Code is read from the project's folder alone.`

func newDeployCmd() *cobra.Command {
	f := newDeployFlags()
	cmd := newProjectVerb(f, "deploy", "deploy a project's manifest", deployHelp, f.deploy)
	cmd.Example = `  hearth deploy                                  # manifest.yaml of this folder
  hearth deploy --preview                        # only show what it comes to
  hearth deploy -m shop/manifest.yaml --param key secret
  hearth deploy sync                             # and delete what the manifest names no more
  hearth deploy undeploy
  hearth deploy export --projectname shop -m copy/manifest.yaml`
	cmd.Args = noWords
	f.mark(cmd)
	cmd.AddCommand(f.verbs()...)
	return cmd
}

// newProjectCmd returns the group by which wsk names the same commands.
func newProjectCmd() *cobra.Command {
	cmd := newGroup("project", "work with projects: another name for deploy", deployHelp)
	f := newDeployFlags()
	f.mark(cmd)
	cmd.AddCommand(newProjectVerb(f, "deploy", "deploy a project's manifest", deployHelp, f.deploy))
	cmd.AddCommand(f.verbs()...)
	return cmd
}

func newDeployFlags() *deployFlags { return &deployFlags{params: pairs{what: "parameter"}} }

// verbs returns the commands beside deploy.
func (f *deployFlags) verbs() []*cobra.Command {
	return []*cobra.Command{
		newProjectVerb(f, "sync", "deploy a project and delete what it does not name any more", `Deploy a project and mark all of it as the project's; then delete what carries
the mark from an earlier sync and is not in the manifest any more. The project
needs a name, in the manifest or by --projectname.`, f.sync),
		newProjectVerb(f, "undeploy", "delete what a project deployed", `Delete all that the manifest names, or, with --projectname, all that carries the
mark of a project that was synchronised.`, f.undeploy),
		newProjectVerb(f, "report", "show the inputs of a project", `Show the inputs of the project and of all in it, with variables replaced, as
JSON.`, f.report),
		newProjectVerb(f, "export", "save a project from the server", `Save what carries the mark of the project --projectname, which was synchronised,
as a new manifest (--manifest) with the files of its code beside it.`, f.export),
	}
}

func newProjectVerb(f *deployFlags, name, short, long string, do func(context.Context, *session, []string) error) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Long: long}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := noWords(cmd, args); err != nil {
			return err
		}
		return f.run(do)(cmd, args)
	}
	return cmd
}

// mark adds the flags to the group and marks it as one of the client's, in
// which -p is not --param.
func (f *deployFlags) mark(cmd *cobra.Command) {
	cmd.Annotations = map[string]string{clientMark: projectMark}
	fs := cmd.PersistentFlags()
	f.addPlainTo(fs)
	fs.BoolVar(&f.debug, "debug", false, "show requests and answers in full")
	fs.StringVar(&f.config, "config", "", "properties `FILE` (default .wskprops in the home directory)")
	fs.StringVarP(&f.manifest, "manifest", "m", "", "path of the manifest `FILE` (default manifest.yaml or .yml of the project's folder)")
	fs.StringVarP(&f.deployment, "deployment", "d", "", "path of the deployment `FILE` (default deployment.yaml or .yml of the project's folder)")
	fs.StringVarP(&f.project, "project", "p", "", "`FOLDER` of the project, below which code may be (default the manifest's, or this one)")
	fs.StringVar(&f.name, "projectname", "", "`NAME` of the project, over the manifest's")
	fs.StringVarP(&f.namespace, "namespace", "n", "", "`NAMESPACE` to deploy to (default the key's own)")
	fs.BoolVarP(&f.strict, "strict", "s", false, "take runtimes as the manifest has them, and mend nothing")
	fs.BoolVar(&f.preview, "preview", false, "show what would be deployed or undeployed, and do nothing")
	fs.BoolVar(&f.managed, "managed", false, "with deploy: the same as sync")
	f.params.addTo(fs, "", "P")
	fs.SortFlags = false
}

// source reads the project.
func (f *deployFlags) source() (*deploy.Source, error) {
	dir := f.project
	if dir == "" {
		dir = "."
	}
	cfg := deploy.Config{Manifest: f.manifest, Deployment: f.deployment, Folder: f.project, Getenv: os.Getenv}
	if cfg.Manifest == "" {
		if cfg.Manifest = deploy.FindManifest(dir); cfg.Manifest == "" {
			return nil, refuse(exitUsage, "Manifest file not found at path [%s].", dir)
		}
	}
	if cfg.Deployment == "" {
		cfg.Deployment = deploy.FindDeployment(dir)
	}
	var err error
	if cfg.Params, err = f.params.parameters(); err != nil {
		return nil, err
	}
	s, err := deploy.Read(cfg)
	if err != nil {
		return nil, sorry("%w", err)
	}
	return s, nil
}

// plan reads the project and works out what it comes to.
func (f *deployFlags) plan(ctx context.Context, s *session, managed bool) (*deploy.Plan, *deploy.Deployer, error) {
	src, err := f.source()
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = src.Close() }() // only read
	if err := f.credentials(s, src); err != nil {
		return nil, nil, err
	}
	t := deploy.Target{Host: s.account.host, Key: s.account.auth, Namespace: f.where(), Strict: f.strict, Managed: managed, Project: f.name}
	if t.Namespace == "" {
		t.Namespace = whisk.Namespace(src.Namespace())
	}
	call, cancel := within(ctx)
	defer cancel()
	if t.Runtimes, err = s.Runtimes(call); err != nil && client.StatusOf(err) == 0 && !errors.Is(err, client.ErrUnreadable) {
		return nil, nil, failed(err, "Failed to get the supported runtimes from OpenWhisk service")
	}
	p, err := src.Plan(t)
	if err != nil {
		return nil, nil, sorry("%w", err)
	}
	for _, w := range p.Warnings {
		s.err.printf("Warning: %s\n", w)
	}
	d := s.deployer()
	if src.Token() != "" {
		d.Token = src.Token()
	}
	return p, d, nil
}

func (f *deployFlags) where() whisk.Namespace { return whisk.Namespace(f.namespace) }

func (s *session) deployer() *deploy.Deployer {
	q := s.routeQuery()
	return &deploy.Deployer{Client: s.Client, Token: q.AccessToken, Space: q.SpaceID, Say: func(line string) { s.out.printf("%s\n", line) }}
}

// credentials takes the key that the project's files name, if the command line
// has none. The files do not say where a key, or anything, is sent: a host that
// they name must be the user's choice as well.
func (f *deployFlags) credentials(s *session, src *deploy.Source) error {
	if host := src.Host(); host != "" {
		theirs, err := client.BaseURL(host)
		if err != nil {
			return sorry("The API host of the project's files is not valid: %w", err)
		}
		if ours, err := client.BaseURL(s.account.host); err != nil || ours.Host != theirs.Host {
			return refuse(exitUsage, "The project's files name the API host '%s', and you '%s': say --apihost to choose", host, s.account.host)
		}
	}
	if key := src.Credential(); f.auth == "" && key != "" {
		s.account.auth = key
		c, err := f.client(s.account, s.out.w)
		if err != nil {
			return err
		}
		s.Close()
		s.Client = c
	}
	return nil
}

// projectTime bounds the work on one project.
const projectTime = time.Hour

// done carries a plan out and says how that ended, as wskdeploy does.
func (s *session) done(ctx context.Context, p *deploy.Plan, do func(context.Context, *deploy.Plan) error, verb string) error {
	ctx, cancel := context.WithTimeout(ctx, projectTime)
	defer cancel()
	if err := do(ctx, p); err != nil {
		return failed(err, "%s did not complete successfully", verb)
	}
	s.out.printf("Success: %s completed successfully.\n", verb)
	return nil
}

func (f *deployFlags) deploy(ctx context.Context, s *session, _ []string) error {
	if f.managed {
		return f.sync(ctx, s, nil)
	}
	p, d, err := f.plan(ctx, s, false)
	if err != nil {
		return err
	}
	if f.preview {
		return p.Preview(s.out.w)
	}
	return s.done(ctx, p, d.Deploy, "Deployment")
}

func (f *deployFlags) sync(ctx context.Context, s *session, _ []string) error {
	p, d, err := f.plan(ctx, s, true)
	if err != nil {
		return err
	}
	if f.preview {
		return p.Preview(s.out.w)
	}
	return s.done(ctx, p, d.Sync, "Deployment")
}

func (f *deployFlags) undeploy(ctx context.Context, s *session, _ []string) error {
	var p *deploy.Plan
	d := s.deployer()
	var err error
	ctx, cancel := context.WithTimeout(ctx, projectTime)
	defer cancel()
	if f.name != "" {
		if p, err = d.Find(ctx, f.where(), f.name); err != nil {
			return failed(err, "Unable to find the project '%s'", f.name)
		}
	} else if p, d, err = f.plan(ctx, s, false); err != nil {
		return err
	}
	if f.preview {
		return p.Preview(s.out.w)
	}
	return s.done(ctx, p, d.Undeploy, "Undeployment")
}

func (f *deployFlags) report(ctx context.Context, s *session, _ []string) error {
	p, _, err := f.plan(ctx, s, false)
	if err != nil {
		return err
	}
	return p.Report(s.out.w)
}

func (f *deployFlags) export(ctx context.Context, s *session, _ []string) error {
	if f.name == "" || f.manifest == "" {
		return refuse(exitUsage, "--projectname and --manifest are required")
	}
	if _, err := os.Lstat(f.manifest); err == nil {
		return refuse(exitUsage, "The file '%s' already exists", f.manifest)
	}
	ctx, cancel := context.WithTimeout(ctx, projectTime)
	defer cancel()
	e, err := s.deployer().Export(ctx, f.where(), f.name)
	if err != nil {
		return failed(err, "Unable to export the project '%s'", f.name)
	}
	for _, w := range e.Warnings {
		s.err.printf("Warning: %s\n", w)
	}
	if err := e.Write(f.manifest); err != nil {
		return sorry("Unable to save the project: %w", err)
	}
	s.out.printf("Manifest exported to: %s\n", strings.TrimPrefix(f.manifest, "./"))
	return nil
}
