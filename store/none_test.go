package store_test

import (
	"testing"

	"hearth/store"
	"hearth/store/storetest"
)

func TestNoneConformance(t *testing.T) {
	storetest.RunEntities(t, func(*testing.T, string) store.Engine { return store.NewNone() })
}
