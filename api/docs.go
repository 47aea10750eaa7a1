package api

import (
	_ "embed" // of the documents
)

// The descriptions of the API and of what is beside it, in Swagger 2.0.
var (
	//go:embed swagger/v1.json
	apiDocs []byte
	//go:embed swagger/info.json
	infoDocs []byte
)

// docs answers with a description.
func docs(q *request, doc []byte) (reply, error) {
	q.class = classInfo
	if err := getJSON(q); err != nil {
		return reply{}, err
	}
	return ok(doc)
}
