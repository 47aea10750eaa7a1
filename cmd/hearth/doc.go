// Command hearth is the whole of Hearth in one binary: the platform (hearth
// up, and its roles as separate processes) and a client that takes the verbs,
// flags and configuration of OpenWhisk's wsk.
//
// Each subcommand has a file of its own, which reads flags and environment and
// hands plain configuration to the packages below; they read neither.
package main
