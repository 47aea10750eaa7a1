//go:build !linux

package bench

func newPacer() (pacer, error) { return timerPacer{}, nil }
