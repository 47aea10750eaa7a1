// Package archtest holds the package map: which package may import which other
// of Hearth's, and which modules. Its test fails with the reason when an
// import breaks the map, or when a package is not on it.
//
// The map has four rules. Everything may import whisk, which imports nothing.
// Siblings never import each other: they meet as a whisk value or through an
// interface that the caller declares, joined in cmd/hearth. A part, such as
// router/ring, is imported by its parent and blind to it. An adapter, such as
// store/sqlite, imports its parent and is imported by cmd and tests only.
package archtest
