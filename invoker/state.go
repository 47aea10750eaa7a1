package invoker

import "fmt"

// state is where a sandbox stands.
type state uint8

// The states of a sandbox.
//
//	cold ──► starting ──► prewarm
//	             │            │
//	             ▼            ▼
//	          running ◄──► warm ◄──► frozen
//
// and from each to removing, the last.
const (
	cold     state = iota // its memory is reserved, nothing of it exists
	starting              // the driver creates it
	prewarm               // up, without code
	running               // initialises or runs one call
	warm                  // initialised, and idle or reserved for one call
	frozen                // warm, and stopped to use no processor
	removing              // is destroyed, or waits for it
	states   = iota
)

func (s state) String() string {
	return [...]string{"cold", "starting", "prewarm", "running", "warm", "frozen", "removing", "invalid"}[min(s, states)]
}

// moves holds for each state those that may follow.
var moves = [states][]state{
	cold:     {starting, removing},
	starting: {prewarm, running, removing},
	prewarm:  {running, removing},
	running:  {warm, starting, removing}, // starting: it was found dead before the call began
	warm:     {running, frozen, removing},
	frozen:   {warm, running, removing},
	removing: {},
}

// move changes the slot's state. An illegal move changes nothing and is an
// error: a fault of this package, never of a user.
func (s *slot) move(to state) error {
	for _, ok := range moves[s.state] {
		if ok == to {
			s.state = to
			return nil
		}
	}
	return fmt.Errorf("sandbox %d: illegal move from %s to %s", s.id, s.state, to)
}
