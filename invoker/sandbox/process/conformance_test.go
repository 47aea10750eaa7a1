package process_test

import (
	"testing"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/process"
	"hearth/invoker/sandbox/sandboxtest"
)

func newDriver(t *testing.T) sandbox.Driver {
	t.Helper()
	d, err := process.New(process.DefaultConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	sandboxtest.Run(t, newDriver)
}
