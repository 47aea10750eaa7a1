// Package deploy puts projects that a manifest describes onto a server, as
// OpenWhisk's wskdeploy does: packages, actions, sequences, triggers, rules,
// APIs, and bindings to packages that are there.
//
// [Read] turns a manifest, and a deployment file that overrides it, into a
// [Plan]: all requests that the project comes to, with every file read and
// every $NAME resolved. A plan can be shown, carried out, synchronised (what
// the project had before and has no more is deleted) or undone, by a
// [Deployer]. [Deployer.Export] goes the other way.
//
// Manifests may come from strangers. Documents are bounded in bytes, depth and
// values with their aliases written out; files are read only below the
// project's folder, symbolic links included; nothing is fetched from elsewhere;
// and what server all of it goes to is for the user to say, since manifests can
// read the environment.
package deploy
