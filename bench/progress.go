package bench

import "time"

// Progress is how far a run is. Run shows it a few times a second, once
// exactly when the measurement begins and once when it is done.
type Progress struct {
	Warming  bool          // the warm-up is on: nothing counts yet
	Done     bool          // the last one
	Elapsed  time.Duration // since the measurement (or the warm-up) began
	Planned  time.Duration // how long it will take, 0 if a count bounds it
	Count    int64         // requests answered since
	Wanted   int64         // the plan's count, 0 if time bounds it
	Failed   int64         // of Count
	Rate     float64       // answers per second since the last Progress
	InFlight int
}
