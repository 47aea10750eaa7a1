package api

import (
	"net/http"
	"strings"

	"hearth/whisk"
)

// accountJSON is an account with its key in the open.
type accountJSON struct {
	Subject   string `json:"subject"`
	Namespace string `json:"namespace"`
	Key       string `json:"key,omitempty"` // uuid:key
	Blocked   bool   `json:"blocked,omitempty"`
}

func accountsJSON(list []whisk.Account, err error) (any, error) {
	out := make([]accountJSON, len(list))
	for i, x := range list {
		out[i] = accountJSON{x.Subject, string(x.Namespace), x.Key.Compact(), x.Blocked}
	}
	return out, err
}

// splitKey reads "uuid:key", be it well-formed or not.
func splitKey(text string) whisk.AuthKey {
	uuid, key, _ := strings.Cut(strings.TrimSpace(text), ":")
	return whisk.AuthKey{UUID: uuid, Key: key}
}

func nsOf(r *http.Request) whisk.Namespace { return whisk.Namespace(r.PathValue("ns")) }

func (a *Admin) namespaces(r *http.Request) (any, error) {
	list, err := a.cfg.Accounts.Namespaces(r.Context())
	if list == nil {
		list = []whisk.Namespace{}
	}
	return list, err
}

func (a *Admin) keys(r *http.Request) (any, error) {
	return accountsJSON(a.cfg.Accounts.Keys(r.Context(), nsOf(r)))
}

func (a *Admin) limits(r *http.Request) (any, error) {
	return a.cfg.Accounts.Limits(r.Context(), nsOf(r))
}

func (a *Admin) setLimits(r *http.Request) (any, error) {
	var over whisk.NamespaceLimits
	if err := readAdmin(r, &over); err != nil {
		return nil, err
	}
	return nil, a.cfg.Accounts.SetLimits(r.Context(), nsOf(r), over)
}

func (a *Admin) deleteLimits(r *http.Request) (any, error) {
	return nil, a.cfg.Accounts.DeleteLimits(r.Context(), nsOf(r))
}

func (a *Admin) subject(r *http.Request) (any, error) {
	return accountsJSON(a.cfg.Accounts.Subject(r.Context(), r.PathValue("subject")))
}

func (a *Admin) deleteSubject(r *http.Request) (any, error) {
	ns, given := r.URL.Query()["namespace"]
	if given && strings.TrimSpace(ns[0]) == "" { // not to be taken for all of them
		return nil, whisk.Errorf(whisk.BadRequest, "Namespace must not be empty")
	}
	one := whisk.Namespace("")
	if given {
		one = whisk.Namespace(ns[0])
	}
	return nil, a.cfg.Accounts.Delete(r.Context(), r.PathValue("subject"), one)
}

func (a *Admin) create(r *http.Request) (any, error) {
	var b struct {
		Namespace string `json:"namespace"`
		Key       string `json:"key"`
		Revoke    bool   `json:"revoke"`
	}
	if err := readAdmin(r, &b); err != nil {
		return nil, err
	}
	req := whisk.AccountRequest{Subject: r.PathValue("subject"), Namespace: whisk.Namespace(b.Namespace), Revoke: b.Revoke}
	if b.Key != "" {
		k := splitKey(b.Key)
		req.Key = &k
	}
	key, err := a.cfg.Accounts.Create(r.Context(), req)
	if err != nil {
		return nil, err
	}
	return map[string]string{"key": key.Compact()}, nil
}

func (a *Admin) block(r *http.Request) (any, error) {
	var blocked *bool
	if err := readAdmin(r, &blocked); err != nil {
		return nil, err
	}
	if blocked == nil {
		return nil, malformed("true or false expected.")
	}
	return nil, a.cfg.Accounts.Block(r.Context(), r.PathValue("subject"), *blocked)
}

func (a *Admin) whois(r *http.Request) (any, error) {
	var b struct {
		Key string `json:"key"`
	}
	if err := readAdmin(r, &b); err != nil {
		return nil, err
	}
	x, err := a.cfg.Accounts.Whois(r.Context(), splitKey(b.Key))
	return accountJSON{Subject: x.Subject, Namespace: string(x.Namespace)}, err
}
