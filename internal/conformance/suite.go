package conformance

// Check is one behaviour of the API. Its name says what holds.
type Check struct {
	Name string
	Run  func(*C)
}

// Section is the checks of one part of the API.
type Section struct {
	Name   string
	Checks []Check
}

// Sections returns the whole suite.
func Sections() []Section {
	return []Section{
		{"root", rootChecks()},
		{"errors", errorChecks()},
		{"cors", corsChecks()},
		{"names", nameChecks()},
		{"params", paramChecks()},
		{"limits", limitChecks()},
		{"actions put", actionPutChecks()},
		{"actions get", actionGetChecks()},
		{"lists", listChecks()},
		{"invoke", invokeChecks()},
		{"activations", activationChecks()},
		{"namespaces", namespaceChecks()},
	}
}
