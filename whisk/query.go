package whisk

// ActivationQuery selects activations of one namespace, newest start first.
type ActivationQuery struct {
	Namespace Namespace
	Name      string // compared with [Activation.FilterName]; "" takes all
	Since     int64  // ms since the epoch, on the start, inclusive; 0 is no bound
	Upto      int64  // likewise
	Skip      int
	Limit     int  // 0 takes all
	Brief     bool // logs and results need not be filled in
}
