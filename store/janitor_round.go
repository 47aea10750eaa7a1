package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hearth/whisk"
)

// round cleans up once. What fails does not keep it from the rest.
func (j *Janitor) round(ctx context.Context) error {
	var errs []error
	for _, part := range []func(context.Context) error{j.records, j.deadLetters, j.code} {
		err := part(ctx)
		if ctx.Err() != nil || errors.Is(err, errNotLeading) {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (j *Janitor) records(ctx context.Context) error {
	if err := j.lead(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	namespaces, err := j.store.RecordNamespaces(limited)
	cancel()
	if err != nil {
		return err
	}
	var errs []error
	for _, ns := range namespaces {
		err := j.recordsOf(ctx, ns)
		if ctx.Err() != nil || errors.Is(err, errNotLeading) {
			return err
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// recordsOf expires the records of one namespace.
func (j *Janitor) recordsOf(ctx context.Context, ns whisk.Namespace) error {
	limited, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	limits, err := j.store.NamespaceLimits(limited, ns)
	cancel()
	if err != nil {
		return fmt.Errorf("how long are records of %s kept: %w", ns, err)
	}
	kept := j.cfg.RecordsKept
	if limits.Retention != nil {
		kept = time.Duration(*limits.Retention)
	}
	if kept == 0 {
		return nil
	}
	before := time.Now().Add(-kept)
	n, err := j.batches(ctx, func(ctx context.Context) (int, error) {
		return j.store.ExpireActivations(ctx, ns, before, j.cfg.Batch)
	})
	j.m.records.Add(n)
	if n > 0 {
		j.cfg.Logger.Debug("records expired", "namespace", ns, "records", n)
	}
	return err
}

func (j *Janitor) deadLetters(ctx context.Context) error {
	if j.cfg.DeadKept == 0 {
		return nil
	}
	before := time.Now().Add(-j.cfg.DeadKept)
	n, err := j.batches(ctx, func(ctx context.Context) (int, error) {
		return j.store.ExpireDeadLetters(ctx, before, j.cfg.Batch)
	})
	j.m.letters.Add(n)
	return err
}

// code sweeps at once: an engine does that in small steps itself.
func (j *Janitor) code(ctx context.Context) error {
	if err := j.lead(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	n, err := j.store.SweepCode(ctx, time.Now().Add(-j.cfg.CodeKept))
	j.m.code.Add(n)
	if n > 0 {
		j.cfg.Logger.Info("unused code removed", "blobs", n)
	}
	return err
}

// batches calls expire until it finds less than a batch, and returns how much
// it has found in all.
func (j *Janitor) batches(ctx context.Context, expire func(context.Context) (int, error)) (total int, err error) {
	for {
		if err := j.lead(ctx); err != nil {
			return total, err
		}
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
		n, err := expire(limited)
		cancel()
		total += n
		if err != nil || n < j.cfg.Batch {
			return total, err
		}
		rest := time.NewTimer(max(j.cfg.MinRest, time.Duration(j.cfg.Rest)*time.Since(began)))
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return total, ctx.Err()
		}
	}
}
