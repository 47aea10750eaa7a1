package main

import "net/http"

const (
	fakeDeadID  = "0123456789abcdef0123456789abcdef"
	fakeDead    = `{"activationId":"` + fakeDeadID + `","namespace":"guest","name":"pkg/work","created":1700000000000,"ended":1700000060000,"attempts":3,"reason":"out of luck"}`
	fakeNewID   = "fedcba9876543210fedcba9876543210"
	fakeStarted = "11111111111111111111111111111111"
)

// deadRoutes answers for the queue and the dead letters, of which there is one.
func (f *fakeServer) deadRoutes(m *http.ServeMux) {
	const path = "/api/v1/namespaces/{ns}/deadletters"
	m.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("skip") != "0" {
			answerWith(w, 200, "[]")
			return
		}
		answerWith(w, 200, "["+fakeDead+"]")
	})
	m.HandleFunc("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) { answerWith(w, 200, `{"deleted":7}`) })
	for method, answer := range map[string]string{"GET": fakeDead, "POST": `{"activationId":"` + fakeNewID + `"}`, "DELETE": `{"deleted":1}`} {
		m.HandleFunc(method+" "+path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("id") != fakeDeadID {
				refuseWith(w, 404, "The requested resource does not exist.")
				return
			}
			answerWith(w, 200, answer)
		})
	}
	m.HandleFunc("DELETE /api/v1/namespaces/{ns}/queue/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == fakeStarted {
			refuseWith(w, 409, "The activation has started already.")
			return
		}
		answerWith(w, 200, fakeRecord("work", "application error", "false", `{"error":"cancelled"}`))
	})
}
