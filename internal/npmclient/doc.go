// Package npmclient runs the npm package openwhisk, which many programs use to
// speak to OpenWhisk, against Hearth: its test builds the binary, starts
// `hearth up` and runs client.test.mjs. scripts/test installs the package.
package npmclient
