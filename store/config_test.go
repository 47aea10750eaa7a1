package store

import (
	"reflect"
	"testing"
	"time"
)

func TestConfigs(t *testing.T) {
	if err := DefaultRecorderConfig().Validate(); err != nil {
		t.Errorf("default: %v", err)
	}
	if err := (RecorderConfig{CommitTimeout: -1}).Validate(); err == nil {
		t.Errorf("a negative timeout is taken")
	}
	if err := DefaultEntitiesConfig().Validate(); err != nil {
		t.Errorf("default: %v", err)
	}
	if err := (EntitiesConfig{CacheBytes: -1}).Validate(); err == nil {
		t.Errorf("a negative cache is taken")
	}
	full := (RecorderConfig{Linger: -1, MaxBatch: 7}).withDefaults()
	if full.Linger != -1 || full.MaxBatch != 7 || full.FlushTimeout != 10*time.Second {
		t.Errorf("defaults laid under settings: %+v", full)
	}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s has no default", v.Type().Field(i).Name)
		}
	}
}
