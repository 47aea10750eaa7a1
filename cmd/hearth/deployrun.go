package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"hearth/client"
	"hearth/client/deploy"
	"hearth/whisk"
)

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
		return s.previewSync(ctx, p, d)
	}
	return s.done(ctx, p, d.Sync, "Deployment")
}

// previewSync shows what would be deployed, and what would be undeployed then.
func (s *session) previewSync(ctx context.Context, p *deploy.Plan, d *deploy.Deployer) error {
	ctx, cancel := context.WithTimeout(ctx, projectTime)
	defer cancel()
	stale, err := d.Stale(ctx, p)
	if err != nil {
		return failed(err, "Unable to find the project '%s'", p.Project)
	}
	if err := p.Preview(s.out.w); err != nil {
		return err
	}
	s.out.printf("No longer in the manifest, to be undeployed:\n\n")
	return stale.Preview(s.out.w)
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
