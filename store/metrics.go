package store

import "github.com/VictoriaMetrics/metrics"

type recorderMetrics struct {
	batch      *metrics.Histogram // ops in one commit
	seconds    *metrics.Histogram // of one commit, failed ones too
	records    *metrics.Counter   // committed, duplicates not counted
	again      *metrics.Counter   // failed attempts that another follows
	duplicates *metrics.Counter   // records of an id that had one already
	dropped    *metrics.Counter   // refused because too much was pending
	failures   *metrics.Counter   // commits that failed whole
	opErrors   *metrics.Counter   // ops that failed alone
}

func newRecorderMetrics(set *metrics.Set) recorderMetrics {
	return recorderMetrics{
		batch:      set.NewHistogram("store_commit_ops"),
		seconds:    set.NewHistogram("store_commit_seconds"),
		records:    set.NewCounter("store_records_total"),
		again:      set.NewCounter("store_attempts_again_total"),
		duplicates: set.NewCounter("store_duplicates_total"),
		dropped:    set.NewCounter("store_dropped_total"),
		failures:   set.NewCounter("store_commit_failures_total"),
		opErrors:   set.NewCounter("store_op_errors_total"),
	}
}

type janitorMetrics struct {
	records  *metrics.Counter   // expired
	letters  *metrics.Counter   // expired
	code     *metrics.Counter   // blobs swept
	rounds   *metrics.Counter   // carried through
	failures *metrics.Counter   // rounds in which something failed
	seconds  *metrics.Histogram // of one round
}

func newJanitorMetrics(set *metrics.Set) janitorMetrics {
	return janitorMetrics{
		records:  set.NewCounter("store_records_expired_total"),
		letters:  set.NewCounter("store_dead_letters_expired_total"),
		code:     set.NewCounter("store_code_swept_total"),
		rounds:   set.NewCounter("store_janitor_rounds_total"),
		failures: set.NewCounter("store_janitor_failures_total"),
		seconds:  set.NewHistogram("store_janitor_round_seconds"),
	}
}
