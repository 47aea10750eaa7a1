package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// profile takes CPU profiles of a case's server in the last round. The
// function returned waits for them.
func (st *stage) profile(ctx context.Context, c *Case, srv *server, plan Plan, round int) (wait func()) {
	var taking sync.WaitGroup
	if st.cfg.Profile == "" || round != st.cfg.Rounds-1 {
		return taking.Wait
	}
	d := int(math.Ceil((plan.Warmup + plan.Duration).Seconds()))
	for label, ops := range srv.ops {
		name := strings.Map(func(r rune) rune {
			if r == '/' || r == ' ' {
				return '-'
			}
			return r
		}, fmt.Sprintf("%s.%s.%s.pprof", st.sc.Name, c.Name, label))
		taking.Go(func() {
			if err := fetchProfile(ctx, ops, max(d, 1), filepath.Join(st.cfg.Profile, name)); err != nil {
				st.cfg.Say("  no profile: " + err.Error())
			}
		})
	}
	return taking.Wait
}

func fetchProfile(ctx context.Context, ops string, seconds int, file string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds+30)*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", ops, seconds), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %.200s", resp.Status, b)
	}
	return os.WriteFile(file, b, 0o644)
}
