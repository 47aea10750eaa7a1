package main

import (
	"context"

	"github.com/spf13/cobra"
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
the mark from an earlier sync and is not in the manifest any more; --preview shows
what that is. The project needs a name, in the manifest or by --projectname.`, f.sync),
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
	f.addPlainTo(fs, "c", "k")
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
