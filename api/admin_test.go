package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"hearth/whisk"
)

// fakeAccounts answers as told.
type fakeAccounts struct {
	accounts
	err error
	got []string
}

func (f *fakeAccounts) Subject(_ context.Context, s string) ([]whisk.Account, error) {
	f.got = append(f.got, s)
	return []whisk.Account{{Subject: s, Namespace: "ns", Key: aliceKey, Blocked: true}}, f.err
}

func (f *fakeAccounts) Block(_ context.Context, s string, on bool) error {
	f.got = append(f.got, s)
	return f.err
}

func (f *fakeAccounts) SetLimits(_ context.Context, _ whisk.Namespace, l whisk.NamespaceLimits) error {
	return f.err
}

func (f *fakeAccounts) Delete(_ context.Context, s string, ns whisk.Namespace) error {
	f.got = append(f.got, s+"@"+string(ns))
	return f.err
}

func TestAdmin(t *testing.T) {
	token := strings.Repeat("t", minToken)
	f := &fakeAccounts{}
	h, err := NewAdmin(AdminConfig{Accounts: f, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, method, path, body, auth string
		err                            error
		status                         int
		want, got                      string
	}{
		{"subject", "GET", "/subjects/git%7Ca%2F%2Fb%20c", "", "Bearer " + token, nil, 200,
			`[{"subject":"git|a//b c","namespace":"ns","key":"` + aliceKey.Compact() + `","blocked":true}]`, "git|a//b c"},
		{"no token", "GET", "/subjects/alice", "", "", nil, 401, "authentication is invalid", ""},
		{"other token", "GET", "/subjects/alice", "", "Bearer " + token + "t", nil, 401, "authentication is invalid", ""},
		{"token as basic", "GET", "/subjects/alice", "", "Basic " + token, nil, 401, "authentication is invalid", ""},
		{"refused", "GET", "/subjects/alice", "", "Bearer " + token, whisk.ErrNotFound, 404, "The requested resource does not exist.", "alice"},
		{"broken", "GET", "/subjects/alice", "", "Bearer " + token, errors.New("secret detail"), 500, "internal server error", "alice"},
		{"unknown path", "GET", "/nothing", "", "Bearer " + token, nil, 404, "could not be found", ""},
		{"wrong method", "POST", "/subjects/alice", "", "Bearer " + token, nil, 404, "could not be found", ""},
		{"no JSON", "PUT", "/subjects/alice/blocked", "tru", "Bearer " + token, nil, 400, "malformed", ""},
		{"no body", "PUT", "/subjects/alice/blocked", "", "Bearer " + token, nil, 400, "true or false expected", ""},
		{"block", "PUT", "/subjects/alice/blocked", "true", "Bearer " + token, nil, 200, "{}", "alice"},
		{"unknown field", "PATCH", "/namespaces/ns/limits", `{"invocations":3}`, "Bearer " + token, nil, 400, "malformed", ""},
		{"too large", "PATCH", "/namespaces/ns/limits", `{"allowedKinds":["` + strings.Repeat("x", maxAdminBody) + `"]}`, "Bearer " + token, nil, 413, "larger than allowed", ""},
		{"delete one", "DELETE", "/subjects/alice?namespace=a%20b", "", "Bearer " + token, nil, 200, "{}", "alice@a b"},
		{"delete all", "DELETE", "/subjects/alice", "", "Bearer " + token, nil, 200, "{}", "alice@"},
		{"delete none", "DELETE", "/subjects/alice?namespace=", "", "Bearer " + token, nil, 400, "must not be empty", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.err, f.got = tt.err, nil
			r := httptest.NewRequest(tt.method, AdminRoot+tt.path, strings.NewReader(tt.body))
			if tt.auth != "" {
				r.Header.Set("Authorization", tt.auth)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) || strings.Contains(rec.Body.String(), "secret") {
				t.Errorf("%d %s, want %d %s", rec.Code, rec.Body, tt.status, tt.want)
			}
			if got := strings.Join(f.got, " "); got != tt.got {
				t.Errorf("asked for %q, want %q", got, tt.got)
			}
		})
	}
	for _, cfg := range []AdminConfig{{Token: token}, {Accounts: f, Token: token[1:]}, {Accounts: f}} {
		if _, err := NewAdmin(cfg); err == nil {
			t.Errorf("%v: no error", cfg.Accounts != nil)
		}
	}
}
