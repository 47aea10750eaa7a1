package conformance

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Account is a credential and the namespace it is for.
type Account struct {
	Key       string // uuid:key
	Namespace string
}

// Config names a host and what the suite may use there.
type Config struct {
	URL    string // scheme and host; https is assumed
	Key    string // uuid:key of a namespace that is not throttled
	Key2   string // of another namespace; "" leaves out what needs a stranger
	System string // of whisk.system; "" leaves out what needs it
	Vanity string // domain of the namespaces' own hosts; "" leaves them out

	// Admin does what wskadmin does, given the words after its name, and returns
	// what it prints. Nil leaves out what needs an operator.
	Admin func(ctx context.Context, words ...string) (string, error)

	// Strict says that published packages are for execution only, that parameters
	// are encrypted, and that blocking invokes wait for 8 s at most.
	Strict bool

	// Prove has checks wait for the end of a calendar minute however far it is;
	// else they are left out when it has just begun.
	Prove bool

	// Patience bounds the wait for what happens after an answer, such as a
	// record that is written in a batch.
	Patience time.Duration
}

// atOnce is how many checks are under way on a host at a time.
const atOnce = 8

// Host is the platform under test, with the fixtures that checks share there.
type Host struct {
	url      string
	http     *http.Client
	own      Account
	second   *Account // nil: none is known
	system   *Account
	vanity   string
	hearth   bool   // it says that it is Hearth
	node     string // its default nodejs kind
	python   string // its default python kind, "" if there is none
	limits   map[string]float64
	admin    func(ctx context.Context, words ...string) (string, error)
	strict   bool
	prove    bool
	patience time.Duration

	slots chan struct{} // a check under way holds one
	run   string        // is in all names that this run makes
	names atomic.Int64

	mu       sync.Mutex
	fixtures map[string]*fixture // guarded by mu
}

// NewHost asks the host what it is. It returns an error if that fails or the
// credentials are refused.
func NewHost(ctx context.Context, cfg Config) (*Host, error) {
	h := newHost(cfg)
	var info struct {
		Limits   map[string]float64
		Runtimes map[string][]struct {
			Kind    string
			Default bool
		}
	}
	if err := h.ask(ctx, "", "/", &info); err != nil {
		return nil, err
	}
	h.limits = info.Limits
	for family, dst := range map[string]*string{"nodejs": &h.node, "python": &h.python} {
		for _, r := range info.Runtimes[family] {
			if r.Default {
				*dst = r.Kind
			}
		}
	}
	if h.node == "" {
		return nil, fmt.Errorf("%s has no default nodejs kind, which the suite's actions are written for", h.url)
	}
	var version struct{ BuildNo string }
	if err := h.ask(ctx, "", "/api/v1", &version); err != nil {
		return nil, err
	}
	h.hearth = strings.HasPrefix(version.BuildNo, "hearth")
	for _, known := range []struct {
		key string
		dst **Account
	}{{cfg.Key2, &h.second}, {cfg.System, &h.system}} {
		if known.key == "" {
			continue
		}
		ns, err := h.namespaceOf(ctx, known.key)
		if err != nil {
			return nil, err
		}
		*known.dst = &Account{Key: known.key, Namespace: ns}
	}
	var err error
	h.own.Namespace, err = h.namespaceOf(ctx, cfg.Key)
	return h, err
}

// namespaceOf asks for the namespace of a key.
func (h *Host) namespaceOf(ctx context.Context, key string) (string, error) {
	var names []string
	if err := h.ask(ctx, key, "/api/v1/namespaces", &names); err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", fmt.Errorf("%s: GET /namespaces answered %q, want one namespace", h.url, names)
	}
	return names[0], nil
}

// newHost returns a host that nothing is known of yet.
func newHost(cfg Config) *Host {
	url := strings.TrimSuffix(cfg.URL, "/")
	if !strings.Contains(url, "://") {
		url = "https://" + url
	}
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails
	return &Host{
		url: url, own: Account{Key: cfg.Key}, vanity: cfg.Vanity, admin: cfg.Admin, strict: cfg.Strict, prove: cfg.Prove, patience: cfg.Patience, run: "cf" + hex.EncodeToString(id),
		fixtures: map[string]*fixture{}, slots: make(chan struct{}, atOnce),
		http: &http.Client{
			Timeout:       80 * time.Second, // beyond the longest blocking wait
			Transport:     &http.Transport{MaxIdleConnsPerHost: 32},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// ask gets a JSON document outside of any check.
func (h *Host) ask(ctx context.Context, key, path string, into any) error {
	status, b, err := h.plain(ctx, http.MethodGet, key, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s%s answered %d: %.200s", h.url, path, status, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s%s: %w: %.200s", h.url, path, err, b)
	}
	return nil
}

// plain makes one call outside of any check.
func (h *Host) plain(ctx context.Context, method, key, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if user, password, ok := strings.Cut(key, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, b, err
}

// Close removes the fixtures.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, f := range h.fixtures {
		if f.path == "" {
			continue
		}
		status, b, err := h.plain(ctx, http.MethodDelete, f.key, f.path, nil)
		if err != nil {
			return err
		}
		if status != http.StatusOK && status != http.StatusNoContent && status != http.StatusNotFound {
			return fmt.Errorf("delete fixture %s: %d %s", name, status, b)
		}
	}
	h.http.CloseIdleConnections()
	return nil
}
