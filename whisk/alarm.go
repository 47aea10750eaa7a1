package whisk

// Alarm is the clock of a trigger, as stored.
type Alarm struct {
	Trigger  EntityName
	Revision int64  // another, and random, with each change by its owner; never 0
	Body     []byte // what the owner wants: sealed

	AlarmState
}

// AlarmState is how far an alarm is.
type AlarmState struct {
	Tick    int64  // ms since the epoch: the tick that is fired next
	Due     int64  // ms: when to look at the alarm; 0: it has ended
	Fired   int64  // how many ticks were
	Changed int64  // ms: when its owner changed it, or when it ended
	Status  int    // the HTTP status of the fire that ended it; 0: no fire did
	Reason  string // why it has ended
}

// AlarmStep takes an alarm from the tick that it stands at to another state.
// Of the steps from one tick one alone happens, so that no tick is fired twice.
type AlarmStep struct {
	Trigger  EntityName
	Revision int64
	Tick     int64 // from which
	Token    int64 // random: whose step it is
	Next     AlarmState
}
