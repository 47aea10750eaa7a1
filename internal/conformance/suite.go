package conformance

import "slices"

// Check is one behaviour of the API. Its name says what holds.
type Check struct {
	Name string
	Run  func(*C)
}

// Section is the checks of one part of the API.
type Section struct {
	Name   string
	Checks []Check
	Strict bool // needs a host that throttles; see Config.Strict
}

// Sections returns the whole suite.
func Sections() []Section {
	return []Section{
		{Name: "root", Checks: slices.Concat(rootChecks(), descriptionChecks(), requestIDChecks())},
		{Name: "errors", Checks: errorChecks()},
		{Name: "cors", Checks: corsChecks()},
		{Name: "names", Checks: nameChecks()},
		{Name: "params", Checks: slices.Concat(paramChecks(), initParamChecks(), paramSizeChecks())},
		{Name: "limits", Checks: limitChecks()},
		{Name: "actions put", Checks: slices.Concat(actionPutChecks(), updateChecks(), annotationPutChecks(), execPutChecks(), execStoredChecks(), concurrentPutChecks())},
		{Name: "actions get", Checks: actionGetChecks()},
		{Name: "lists", Checks: listChecks()},
		{Name: "invoke", Checks: invokeChecks()},
		{Name: "activations", Checks: activationChecks()},
		{Name: "sequences", Checks: sequenceChecks()},
		{Name: "conductors", Checks: conductorChecks()},
		{Name: "packages", Checks: slices.Concat(packageChecks(), packageContentChecks(), packageListChecks(), packagedActionChecks())},
		{Name: "bindings", Checks: bindingChecks()},
		{Name: "triggers", Checks: triggerChecks()},
		{Name: "rules", Checks: ruleChecks()},
		{Name: "namespaces", Checks: namespaceChecks()},
		{Name: "entitlement", Checks: entitlementChecks()},
		{Name: "execute only", Checks: executeOnlyChecks(), Strict: true},
		{Name: "encryption", Checks: encryptionChecks(), Strict: true},
		{Name: "operator", Checks: operatorChecks()},
		{Name: "throttle", Checks: throttleChecks(), Strict: true},
		{Name: "web gate", Checks: webGateChecks()},
		{Name: "web arguments", Checks: webArgumentChecks()},
		{Name: "web raw", Checks: webRawChecks()},
		{Name: "web response", Checks: webResponseChecks()},
		{Name: "web http", Checks: webHTTPChecks()},
		{Name: "web cors", Checks: webCORSChecks()},
		{Name: "web vanity", Checks: vanityChecks()},
		{Name: "routes", Checks: routeChecks()},
		{Name: "system", Checks: systemChecks()},
	}
}
