package bench

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"hearth/client"
	"hearth/whisk"
)

// prepared is what a case's load needs on its server.
type prepared struct {
	*server
	api     *client.Client
	actions []whisk.ActionName
	remove  []whisk.ActionName // from a server that is to outlive us
	trigger whisk.EntityName   // of a case that fires
	targets []*HTTPTarget
	failure FirstFailure
}

func (p *prepared) close() error {
	var errs []error
	for _, t := range p.targets {
		errs = append(errs, t.Close())
	}
	if len(p.remove) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		errs = append(errs, p.removeTrigger(ctx)...)
		for _, n := range p.remove {
			if err := p.api.DeleteAction(ctx, n); client.StatusOf(err) != 404 {
				errs = append(errs, err)
			}
		}
	}
	if p.api != nil {
		p.api.Close()
	}
	return errors.Join(errs...)
}

// create makes n actions of a case; first is the number of the first. Cases of
// one scenario share actions of one kind and size, and with them sandboxes: of
// two sets the one would push the other out of memory in each round.
func (st *stage) create(ctx context.Context, p *prepared, c *Case, first, n int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	p.actions = make([]whisk.ActionName, n)
	for i := range p.actions {
		name := st.actionName(c, first+i)
		p.actions[i] = name
		if st.made[p.server] == nil {
			st.made[p.server] = map[whisk.ActionName]bool{}
		}
		if st.made[p.server][name] {
			continue
		}
		st.made[p.server][name] = true
		if len(p.procs) == 0 {
			p.remove = append(p.remove, name)
		}
		g.Go(func() error {
			a, err := st.action(c, first+i)
			if err != nil {
				return err
			}
			_, err = p.api.PutAction(ctx, name, a, true)
			return err
		})
	}
	return g.Wait()
}

// actionName is how bench calls an action of a case.
func (st *stage) actionName(c *Case, i int) whisk.ActionName {
	name := st.sc.Name + "-" + c.Kind
	if c.Memory > 0 {
		name += "-" + strconv.Itoa(c.Memory)
	}
	if c.Do == DoCold || c.neighbour {
		name += "-" + c.Name
	}
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return whisk.ActionName{Name: fmt.Sprintf("bench-%s-%d", clean, i)}
}

// action returns an echo. Each has code of its own, so that no cache of code
// serves two.
func (st *stage) action(c *Case, i int) (*client.Action, error) {
	e := &client.Exec{Kind: c.Kind + ":default"}
	code := EchoCode[c.Kind]
	switch c.Kind {
	case "native":
		e.Kind, e.Image = "blackbox", "openwhisk/dockerskeleton"
		code += fmt.Sprintf("# %d\n", i)
	case "go":
		text, err := goAction(st.cfg.Exe)
		if err != nil {
			return nil, err
		}
		code, e.Binary = text, new(true)
	case "nodejs":
		code += fmt.Sprintf("\n// %d\n", i)
	case "python":
		code += fmt.Sprintf("\n# %d\n", i)
	}
	e.Code = &code
	a := &client.Action{Exec: e}
	if c.Memory > 0 {
		a.Limits = &client.Limits{Memory: &c.Memory}
	}
	return a, nil
}

// goAction packs this program as an action of kind go: hearth bench floor loop
// speaks the ActionLoop protocol and echoes.
func goAction(exe string) (string, error) {
	program, err := os.ReadFile(exe)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, f := range []struct {
		name string
		text []byte
	}{
		{"exec", []byte("#!/bin/sh\nexec \"${0%/*}/hearth\" bench floor loop\n")},
		{"hearth", program},
	} {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err != nil {
			return "", err
		}
		if _, err := w.Write(f.text); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// touch invokes each action once, so that as many as there is room for are
// warm.
func (st *stage) touch(ctx context.Context, p *prepared) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, n := range p.actions {
		g.Go(func() error {
			inv, err := p.api.Invoke(ctx, n, nil, client.InvokeOptions{Blocking: true, Result: true})
			if err != nil {
				return err
			}
			if inv.Outcome != client.Succeeded {
				return fmt.Errorf("action %s: %.300s", n.Name, inv.Body)
			}
			return nil
		})
	}
	return g.Wait()
}
