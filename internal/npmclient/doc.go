// Package npmclient runs the npm packages openwhisk, which many programs use to
// speak to OpenWhisk, and openwhisk-composer against Hearth: its test builds the
// binary, starts `hearth up` and runs the *.test.mjs. scripts/test installs the
// packages.
package npmclient
