package bench

// EchoCode holds the sources of actions that return their arguments, by family
// of kinds.
var EchoCode = map[string]string{
	"nodejs": "function main(args) { return args }",
	"python": "def main(args):\n    return args\n",
}
