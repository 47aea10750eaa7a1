package whisk

import "encoding/json"

// Fire is one event at a trigger.
type Fire struct {
	Identity      *Identity // who fires it, and in whose name its rules' actions are invoked
	TransactionID string
	Trigger       *Trigger
	Payload       json.RawMessage // as it came: an object, or nil; the record's result
	Args          json.RawMessage // what each action is invoked with: an object
	Unstored      bool            // the trigger's record is not to be kept

	// Step, if not nil, is of the alarm whose tick fires the trigger: it happens
	// together with all that comes of the fire, or that does not happen.
	Step *AlarmStep
}
