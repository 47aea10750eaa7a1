package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"hearth/whisk"
)

// AdminRoot is where the admin API begins.
const AdminRoot = "/admin/v1"

// accounts is what an operator may do. Refusals are errors of package whisk.
type accounts interface {
	Create(ctx context.Context, r whisk.AccountRequest) (whisk.AuthKey, error)
	Delete(ctx context.Context, subject string, ns whisk.Namespace) error
	Block(ctx context.Context, subject string, blocked bool) error
	Subject(ctx context.Context, subject string) ([]whisk.Account, error)
	Keys(ctx context.Context, ns whisk.Namespace) ([]whisk.Account, error)
	Namespaces(ctx context.Context) ([]whisk.Namespace, error)
	Whois(ctx context.Context, key whisk.AuthKey) (whisk.Account, error)
	Limits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error)
	SetLimits(ctx context.Context, ns whisk.Namespace, over whisk.NamespaceLimits) error
	DeleteLimits(ctx context.Context, ns whisk.Namespace) error
}

// AdminConfig says what the admin API stands on.
type AdminConfig struct {
	Accounts accounts
	Token    string       // what a caller must show; a secret
	Logger   *slog.Logger // nil: none
}

// minToken bounds from below how many characters a token has.
const minToken = 32

// Admin answers the admin API, with JSON:
//
//	GET    /namespaces                  names of all that somebody has a key for
//	GET    /namespaces/NS/keys          accounts, but for blocked ones
//	GET    /namespaces/NS/limits        404: none
//	PATCH  /namespaces/NS/limits        fields lie over those there are
//	DELETE /namespaces/NS/limits
//	GET    /subjects/SUBJECT            accounts
//	DELETE /subjects/SUBJECT            ?namespace=NS: for that one alone
//	POST   /subjects/SUBJECT/keys       {"namespace","key","revoke"}, all optional: an account
//	PUT    /subjects/SUBJECT/blocked    true or false
//	POST   /whois                       {"key"}: an account
//
// A caller proves itself by "Authorization: Bearer TOKEN": users' keys open
// nothing here. Answers hold keys in the open, so its place is a loopback or
// otherwise guarded address.
type Admin struct {
	cfg   AdminConfig
	log   *slog.Logger
	token [sha256.Size]byte // of what the header must say
	mux   *http.ServeMux
}

// NewAdmin returns the admin API.
func NewAdmin(cfg AdminConfig) (*Admin, error) {
	if cfg.Accounts == nil {
		return nil, errors.New("api: the admin API has no accounts")
	}
	if len(cfg.Token) < minToken {
		return nil, fmt.Errorf("api: the admin token has %d characters, want at least %d", len(cfg.Token), minToken)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Admin{cfg: cfg, log: cfg.Logger, token: sha256.Sum256([]byte("Bearer " + cfg.Token)), mux: http.NewServeMux()}
	for pattern, handle := range map[string]adminHandler{
		"GET /namespaces":               a.namespaces,
		"GET /namespaces/{ns}/keys":     a.keys,
		"GET /namespaces/{ns}/limits":   a.limits,
		"PATCH /namespaces/{ns}/limits": a.setLimits, "DELETE /namespaces/{ns}/limits": a.deleteLimits,
		"GET /subjects/{subject}":         a.subject,
		"DELETE /subjects/{subject}":      a.deleteSubject,
		"POST /subjects/{subject}/keys":   a.create,
		"PUT /subjects/{subject}/blocked": a.block,
		"POST /whois":                     a.whois,
	} {
		method, path, _ := strings.Cut(pattern, " ")
		a.mux.HandleFunc(method+" "+AdminRoot+path, a.wrap(handle))
	}
	a.mux.HandleFunc("/", a.wrap(func(*http.Request) (any, error) { return nil, errNoRoute }))
	return a, nil
}

// adminHandler returns what is answered with 200 as JSON; nil is {}.
type adminHandler func(r *http.Request) (any, error)

// ServeHTTP implements [http.Handler].
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given := sha256.Sum256([]byte(r.Header.Get("Authorization")))
	if subtle.ConstantTimeCompare(given[:], a.token[:]) != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Hearth admin"`)
		a.refuse(w, r, &whisk.Error{Kind: whisk.Unauthenticated, Message: badCredentials})
		return
	}
	a.mux.ServeHTTP(w, r)
}

// maxAdminBody bounds a request's body, in bytes.
const maxAdminBody = 64 << 10

func (a *Admin) wrap(handle adminHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
		v, err := handle(r)
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		if r.Method != http.MethodGet {
			a.log.Info("admin request", "method", r.Method, "path", r.URL.Path)
		}
		if v == nil {
			v = struct{}{}
		}
		a.answer(w, http.StatusOK, v)
	}
}

// refuse answers with an error's text, and logs those that are ours.
func (a *Admin) refuse(w http.ResponseWriter, r *http.Request, err error) {
	id := requestID(r.Header)
	status, text := statusAndText(err)
	if status >= http.StatusInternalServerError {
		a.log.Error("admin request failed", "request", id, "error", err)
	}
	a.answer(w, status, map[string]string{"error": text, "code": id})
}

func (a *Admin) answer(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		a.log.Debug("admin answer not delivered", "error", err)
	}
}

// readAdmin decodes a request's body, of which every field must be known.
func readAdmin(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		if tooBig, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return tooLarge("Request", tooBig.Limit+1, tooBig.Limit)
		}
		return malformedBy(err)
	}
	return nil
}
