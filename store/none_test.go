package store_test

import (
	"testing"
	"time"

	"hearth/store"
	"hearth/store/storetest"
)

func TestNoneConformance(t *testing.T) {
	storetest.RunEntities(t, func(_ *testing.T, _ string, lease time.Duration) store.Engine {
		n := store.NewNone()
		n.ClaimLease = lease
		return n
	})
}
