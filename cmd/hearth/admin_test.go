package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/api"
	"hearth/auth"
	"hearth/store"
	"hearth/store/sqlite"
	"hearth/whisk"
)

// adminWorld runs admin commands on one platform.
type adminWorld struct {
	t     *testing.T
	where []string // flags that name the platform
}

// run returns what a command line prints and its exit code.
func (w adminWorld) run(stdin string, args ...string) (stdout, stderr string, exit int) {
	w.t.Helper()
	var out, errs bytes.Buffer
	args = append(append([]string{"admin"}, args...), w.where...)
	err := run(w.t.Context(), args, strings.NewReader(stdin), &out, &errs)
	reportError(&errs, err)
	return out.String(), errs.String(), exitCode(err)
}

// newPlatform makes a data folder with a store, as a server leaves it.
func newPlatform(t *testing.T) *dataDir {
	t.Helper()
	d, err := openData(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), sqlite.DefaultConfig(d.file(storeFile)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openKeys(t.Context(), "", d, db); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func closeData(t *testing.T, d *dataDir) {
	t.Helper()
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

// serveAdmin serves the admin API of a store, and returns the flags that reach
// it.
func serveAdmin(t *testing.T, st store.Engine, d *dataDir) []string {
	t.Helper()
	keys, err := openKeys(t.Context(), "", d, st)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ensureToken(d.file(adminTokenFile))
	if err != nil {
		t.Fatal(err)
	}
	h, err := api.NewAdmin(api.AdminConfig{Accounts: auth.NewAccounts(keys, st, nil), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api.NewOps(api.OpsConfig{Admin: h}))
	t.Cleanup(srv.Close)
	return []string{"--admin-url", srv.URL + api.AdminRoot, "--admin-token-file", d.file(adminTokenFile)}
}

func TestAdminCommands(t *testing.T) {
	t.Run("offline", func(t *testing.T) {
		d := newPlatform(t)
		closeData(t, d)
		adminCommands(t, adminWorld{t, []string{"--data", d.path}})
	})
	t.Run("online", func(t *testing.T) {
		d := &dataDir{path: t.TempDir()}
		adminCommands(t, adminWorld{t, serveAdmin(t, store.NewNone(), d)})
	})
}

func adminCommands(t *testing.T, w adminWorld) {
	k1, k2 := auth.NewKey().Compact(), auth.NewKey().Compact()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(k2+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const odd = "git|hub a//b"
	for i, tt := range []struct {
		args  string // words, "·" between them
		stdin string
		want  string // "KEY" stands for any key
		exit  int
	}{
		{"user·create·anne", "", "Subject name must be at least 5 characters\n", 2},
		{"user·create·alice·-u·-", k1, k1 + "\n", 0},
		{"user·create·alice", "", "Namespace already exists\n", 1},
		{"user·create·alice·-ns·shared·-s", "", "", 0},
		{"user·create·bobby·-ns=shared·--auth·@" + file, "", k2 + "\n", 0},
		{"user·create·bobby·-u·-", "123:" + k1[37:], "authorization id is not a valid UUID\n", 2},
		{"user·create·bobby·-u·-", k1[:40], "authorization key must be at least 64 characters long\n", 2},
		{"user·create·bobby·-ns· ", "", "Namespace must not be empty\n", 2},
		{"user·create·bobby·-g", "", "KEY\n", 0},
		{"user·get·bobby", "", "namespace \"bobby\" not found for \"bobby\"\n", 1}, // -g stored nothing
		{"user·get·bobby·-ns·shared", "", k2 + "\n", 0},
		{"user·get·alice", "", k1 + "\n", 0},
		{"user·get·alice·-a", "", "alice\t" + k1 + "\nshared\tKEY\n", 0},
		{"user·get·nobody", "", "Failed to get subject (missing)\n", 1},
		{"user·get·..", "", "Failed to get subject (missing)\n", 1},
		{"user·create·" + odd + "·-ns·odd", "", "KEY\n", 0},
		{"user·get·" + odd + "·-ns·odd", "", "KEY\n", 0},
		{"user·whois·-", k1, "subject: alice\nnamespace: alice\n", 0},
		{"user·whois·@" + file, "", "subject: bobby\nnamespace: shared\n", 0},
		{"user·whois·-", "nonsense", "Subject id is not recognized\n", 0},
		{"user·list·shared", "", "KEY\talice\n", 0},
		{"user·list·shared·-a", "", "KEY\talice\n" + k2 + "\tbobby\n", 0},
		{"user·list·shared·-p·2·-k", "", "KEY\n" + k2 + "\n", 0},
		{"user·list·shared·-p·0", "", "pick at least 1 identity to show\n", 2},
		{"user·list·nowhere", "", "no identities found for namespace \"nowhere\"\n", 0},
		{"user·list", "", "alice\nodd\nshared\n", 0},
		{"user·block·alice·nobody·bobby", "", "\"alice\" blocked successfully\nFailed to block \"nobody\" (missing)\n\"bobby\" blocked successfully\n", 1},
		{"user·create·alice·-ns·third", "", "The subject you want to edit is blocked\n", 1},
		{"user·whois·-", k1, "Subject id is not recognized\n", 0},
		{"user·list·shared·-a", "", "no identities found for namespace \"shared\"\n", 0},
		{"user·unblock·alice", "", "\"alice\" unblocked successfully\n", 0},
		{"user·unblock·x·y", "", "Failed to unblock \"x\" (missing)\nFailed to unblock \"y\" (missing)\n", 2},
		{"user·create·alice·-r", "", "KEY\n", 0},
		{"user·whois·-", k1, "Subject id is not recognized\n", 0},
		{"user·delete·alice·-ns·nowhere", "", "Namespace \"nowhere\" does not exist for \"alice\"\n", 1},
		{"user·delete·alice·-ns·", "", "Namespace must not be empty\n", 2},
		{"user·delete·alice·-ns·shared", "", "Namespace deleted\n", 0},
		{"user·delete·alice", "", "Subject deleted\n", 0},
		{"user·delete·alice", "", "Failed to delete subject (missing)\n", 1},
		{"user·delete· ", "", "Subject must not be empty\n", 2},

		{"limits·get·shared", "", "No limits found, default system limits apply\n", 0},
		{"limits·delete·shared", "", "Failed to delete limits (missing)\n", 1},
		{"limits·set·shared·--invocationsPerMinute·0·--storeActivations·No", "", "Limits successfully set for \"shared\"\n", 0},
		{"limits·set·--allowedKinds·nodejs:20·python:3.11·shared", "", "Limits successfully set for \"shared\"\n", 0},
		{"limits·set·shared·--maxParameterSize·64 KB·--retention·12h·--enableStoreActivations", "", "Limits successfully set for \"shared\"\n", 0},
		{"limits·get·shared", "", "invocationsPerMinute = 0\nallowedKinds = ['nodejs:20', 'python:3.11']\nstoreActivations = True\nmaxParameterSize = 64 KB\nretention = 12h0m0s\n", 0},
		{"limits·set·shared·--allowedKinds·go:1.20·--retention·168h·--disableStoreActivations", "", "Limits successfully set for \"shared\"\n", 0},
		{"limits·get·shared", "", "invocationsPerMinute = 0\nallowedKinds = ['go:1.20']\nstoreActivations = False\nmaxParameterSize = 64 KB\nretention = 7d\n", 0},
		{"limits·set·shared·--firesPerMinute·-3", "", "firesPerMinute must not be negative\n", 2},
		{"limits·set·a/b·--firesPerMinute·3", "", "The namespace contains illegal characters.\n", 2},
		{"limits·delete·shared", "", "Limits deleted\n", 0},
		{"limits·get·shared", "", "No limits found, default system limits apply\n", 0},
	} {
		args := strings.Split(tt.args, "·")
		stdout, stderr, exit := w.run(tt.stdin, args...)
		if !likeKeys(stdout, tt.want) || exit != tt.exit || stderr != "" {
			t.Errorf("step %d: %s: printed %q (and %q), exit %d, want %q, %d", i, tt.args, stdout, stderr, exit, tt.want, tt.exit)
		}
	}
}

// likeKeys compares got with want, in which "KEY" stands for any key.
func likeKeys(got, want string) bool {
	for {
		before, after, ok := strings.Cut(want, "KEY")
		if !ok {
			return got == want
		}
		rest, found := strings.CutPrefix(got, before)
		if !found || len(rest) < 101 {
			return false
		}
		if _, err := auth.ParseKey(rest[:101]); err != nil {
			return false
		}
		got, want = rest[101:], after
	}
}

func TestAdminUsage(t *testing.T) {
	d := newPlatform(t)
	closeData(t, d)
	w := adminWorld{t, []string{"--data", d.path}}
	for _, tt := range []struct{ args, want string }{
		{"user·create", `want "hearth admin user create SUBJECT`},
		{"user·frob", "unknown command"},
		{"limits·set·--firesPerMinute·3", "want \"hearth admin limits set NAMESPACE"},
		{"limits·set·shared·--firesPerMinute·many", "invalid int value: 'many'"},
		{"limits·set·shared·--truncationSize·1 TB", "a size is a number of bytes"},
		{"limits·set·shared·--retention·soon", "a retention is a time such as"},
	} {
		_, stderr, exit := w.run("", strings.Split(tt.args, "·")...)
		if exit != exitUsage || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: %q, exit %d, want %q", tt.args, stderr, exit, tt.want)
		}
	}
	// A key in the arguments is taken, with a warning that does not repeat it.
	key := auth.NewKey().Compact()
	if stdout, stderr, exit := w.run("", "user", "create", "alice", "-u", key); stdout != key+"\n" || exit != 0 ||
		!strings.HasPrefix(stderr, "warning: ") || strings.Contains(stderr, key[:8]) {
		t.Errorf("key as argument: %q, %q, %d", stdout, stderr, exit)
	}
}

// TestAdminFinds: where a command works.
func TestAdminFinds(t *testing.T) {
	empty := adminWorld{t, []string{"--data", t.TempDir()}}
	if _, stderr, exit := empty.run("", "user", "list"); exit != 1 || !strings.Contains(stderr, "there is no platform in") {
		t.Errorf("an empty folder: %q, %d", stderr, exit)
	}

	d := newPlatform(t) // and its lock is held, as by a server
	defer closeData(t, d)
	w := adminWorld{t, []string{"--data", d.path, "-v"}}
	if _, stderr, exit := w.run("", "user", "list"); exit != 1 || !strings.Contains(stderr, "not ready yet") {
		t.Errorf("without endpoints: %q, %d", stderr, exit)
	}
	write := func(e endpoints) {
		t.Helper()
		if err := e.write(d.path); err != nil {
			t.Fatal(err)
		}
	}
	write(endpoints{PID: 1})
	if _, stderr, exit := w.run("", "user", "create", "alice", "-s"); exit != 0 || !strings.HasPrefix(stderr, "working on "+d.path) {
		t.Errorf("beside a server: %q, %d", stderr, exit)
	}
	write(endpoints{PID: 1, Memory: true})
	if _, stderr, exit := w.run("", "user", "list"); exit != 1 || !strings.Contains(stderr, "--store none") {
		t.Errorf("beside a server with its state in memory: %q, %d", stderr, exit)
	}
	url := serveAdmin(t, store.NewNone(), d)[1]
	write(endpoints{PID: 1, Admin: url})
	if stdout, stderr, exit := w.run("", "user", "list"); stdout != "" || exit != 0 || !strings.HasPrefix(stderr, "asking "+url) {
		t.Errorf("by a server's API: %q, %q, %d", stdout, stderr, exit)
	}
	if stdout, _, exit := w.run("", "user", "list", "--offline"); stdout != "alice\n" || exit != 0 {
		t.Errorf("--offline: %q, %d", stdout, exit)
	}
	t.Setenv("HEARTH_ADMIN_URL", "http://127.0.0.1:1/admin/v1")
	if _, stderr, exit := w.run("", "user", "list"); exit != exitNetwork || !strings.Contains(stderr, "refused") {
		t.Errorf("nobody listens: %q, %d", stderr, exit)
	}
	if err := os.Chmod(d.file(adminTokenFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, exit := w.run("", "user", "list"); exit != 1 || !strings.Contains(stderr, "mode") {
		t.Errorf("an open token file: %q, %d", stderr, exit)
	}
}

// TestAdminToken: the token, and nothing else, opens the API.
func TestAdminToken(t *testing.T) {
	d := &dataDir{path: t.TempDir()}
	st := store.NewNone()
	flags := serveAdmin(t, st, d)
	keys, err := openKeys(t.Context(), "", d, st)
	if err != nil {
		t.Fatal(err)
	}
	user, err := auth.NewAccounts(keys, st, nil).Create(context.Background(), whisk.AccountRequest{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{strings.Repeat("0", 64), user.Compact(), user.Key} {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, exit := adminWorld{t, append(flags[:2:2], "--admin-token-file", name)}.run("", "user", "list", "alice")
		if stdout != "" || exit != (401-256)&0xff || !strings.Contains(stderr, "authentication is invalid") {
			t.Errorf("%q, %q, %d", stdout, stderr, exit)
		}
	}
}
