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

func TestLingers(t *testing.T) {
	const ms = time.Millisecond
	usual, never := DefaultRecorderConfig(), RecorderConfig{Linger: -1, BusyLinger: time.Hour}
	for _, tt := range []struct {
		name string
		cfg  RecorderConfig
		age  time.Duration
		came int
		want time.Duration
	}{
		{"young", usual, 0, 1, 10 * ms},
		{"nearly old enough", usual, 15 * ms, 1, 5 * ms},
		{"old enough", usual, 20 * ms, busyRecords - 1, 0},
		{"others keep coming", usual, 20 * ms, busyRecords, 10 * ms},
		{"nearly too old", usual, 97 * ms, 1000, 3 * ms},
		{"too old", usual, 100 * ms, 1000, 0},
		{"no lingering", never, 0, 1000, 0},
		{"busy is shorter", RecorderConfig{Linger: time.Second, BusyLinger: 1}, time.Second, 1000, 0},
		{"smallest", RecorderConfig{Linger: 1, BusyLinger: 2}, 1, 1000, 1},
	} {
		if got := tt.cfg.lingers(tt.age, tt.came); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
