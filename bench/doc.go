// Package bench makes load, measures what comes of it, and reports.
//
// A [Plan] says when requests are due, a [Target] makes one of them, and [Run]
// carries the plan out and returns a [Result]:
//
//	t, err := bench.NewHTTPTarget(bench.HTTPConfig{URL: "http://127.0.0.1:8080/"})
//	...
//	res, err := bench.Run(ctx, bench.Plan{Arrival: bench.Closed, Concurrency: 64, Duration: 5 * time.Second}, t, nil)
//	fmt.Println(res.Throughput(), res.Latency.Quantile(0.99))
//
// # What is measured
//
// In a closed loop a fixed number of clients each send the next request when
// the last was answered: that finds the highest throughput. In an open loop
// requests are due at times of their own, whatever the server does. Latency
// counts from the due time: a request that waits for a free client, because a
// stalled server holds them all, is slow by that wait too. What cannot even
// wait (the queue is bounded) is counted as [ClassOverflow], never dropped
// unseen. [Result.Lag] shows how late requests were sent.
//
// Every request that began after the warm-up is in the result: Latency holds
// those answered well, Failed the others, Errors their numbers by class.
// Throughput counts the good answers that came within the measured time.
//
// A server that answers 429 measures its own throttle: [Run] stops at the
// first one with [ErrThrottled].
//
// # Reports
//
// A [Report] has a [Row] per figure, each measured in several rounds that are
// interleaved with those of its floor (the least that the same work can cost
// on the machine), so that both see the same neighbours. The ratio to the
// floor is the median of the rounds' ratios, shown with its range. [Compare]
// sets two reports against each other.
//
// # Scenarios and floors
//
// A [Scenario] is a file of bench/scenarios (its README.md says what stands in
// them). A [Suite] starts the servers and floors that its cases need, each a
// process in a group of its own, measures them in interleaved rounds, and stops
// them. Floors are served by [ServeFloor]; what they need of the sandboxes'
// insides is handed in as [FloorTools].
package bench
