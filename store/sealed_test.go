package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"hearth/whisk"
)

// fakeSealer turns bytes over and notes namespace and key.
type fakeSealer byte

func (f fakeSealer) SealParameter(ns whisk.Namespace, plain []byte) ([]byte, error) {
	out := append([]byte{byte(f)}, ns...)
	out = append(out, 0)
	for _, c := range plain {
		out = append(out, c^0x55)
	}
	return out, nil
}

func (f fakeSealer) OpenParameter(ns whisk.Namespace, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, append(append([]byte{byte(f)}, ns...), 0))
	if !ok {
		return nil, errors.New("another's")
	}
	plain := []byte{}
	for _, c := range rest {
		plain = append(plain, c^0x55)
	}
	return plain, nil
}

func sealedParameters() whisk.Parameters {
	return whisk.Parameters{
		{Key: "text", Value: []byte(`"<secret>"`)}, {Key: "object", Value: []byte(`{"a":"secret"}`)},
		{Key: "init", Value: []byte(`"secret"`), Init: true}, {Key: "none", Value: []byte("null")},
	}
}

// put writes an entity of each sort that has parameters, and returns what came
// back of them.
func putSealed(t *testing.T, e *Entities, ns whisk.Namespace, name string, ps whisk.Parameters) (out []whisk.Parameters, err error) {
	t.Helper()
	ctx := t.Context()
	a, err := e.PutAction(ctx, &whisk.Action{Name: whisk.ActionName{Namespace: ns, Name: name + "a"}, Parameters: ps}, nil, 0)
	if err != nil {
		return nil, err
	}
	p, err := e.PutPackage(ctx, &whisk.Package{Name: whisk.EntityName{Namespace: ns, Name: name + "p"}, Parameters: ps}, 0)
	if err != nil {
		return nil, err
	}
	tr, err := e.PutTrigger(ctx, &whisk.Trigger{Name: whisk.EntityName{Namespace: ns, Name: name + "t"}, Parameters: ps}, 0)
	if err != nil {
		return nil, err
	}
	return []whisk.Parameters{a.Parameters, p.Parameters, tr.Parameters}, nil
}

func readSealed(t *testing.T, e *Entities, ns whisk.Namespace, name string) []whisk.Parameters {
	t.Helper()
	ctx := t.Context()
	a, err := e.Resolve(ctx, whisk.ActionName{Namespace: ns, Name: name + "a"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Package(ctx, whisk.EntityName{Namespace: ns, Name: name + "p"})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := e.Trigger(ctx, whisk.EntityName{Namespace: ns, Name: name + "t"})
	if err != nil {
		t.Fatal(err)
	}
	return []whisk.Parameters{a.Parameters, p.Parameters, tr.Parameters}
}

// shown is what a user gets to see, and may send back.
func shown(ps whisk.Parameters) whisk.Parameters {
	out := make(whisk.Parameters, len(ps))
	for i := range ps {
		out[i] = whisk.Parameter{Key: ps[i].Key, Value: ps[i].Shown(), Init: ps[i].Init, Encryption: ps[i].Encryption}
	}
	return out
}

func checkSealed(t *testing.T, when string, lists []whisk.Parameters) {
	t.Helper()
	plain := sealedParameters()
	for i, ps := range lists {
		text, err := json.Marshal(shown(ps))
		if err != nil || bytes.Contains(text, []byte("secret")) || !bytes.Contains(text, []byte(whisk.AES256)) {
			t.Errorf("%s: entity %d shows %s, %v", when, i, text, err)
		}
		for k := range plain {
			if string(ps[k].Value) != string(plain[k].Value) || ps[k].Init != plain[k].Init || (ps[k].Sealed == nil) != (ps[k].Key == "none") {
				t.Errorf("%s: entity %d has %+v, want %+v", when, i, ps[k], plain[k])
			}
		}
		if ps.Size() != plain.Size() {
			t.Errorf("%s: size %d, want that of the open form, %d", when, ps.Size(), plain.Size())
		}
	}
}

func TestSealedParameters(t *testing.T) {
	engine := NewNone()
	on := func() *Entities {
		return NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(1), Encrypt: true})
	}
	given := sealedParameters()
	put, err := putSealed(t, on(), "ns", "x", given)
	if err != nil {
		t.Fatal(err)
	}
	checkSealed(t, "written", put)
	if given[0].Sealed != nil || given[0].Encryption != "" {
		t.Error("the caller's parameters were changed")
	}
	for _, d := range engine.docs {
		if bytes.Contains(d.Body, []byte("secret")) {
			t.Errorf("%s is stored open: %s", d.Key, d.Body)
		}
	}
	e := on()
	read := readSealed(t, e, "ns", "x")
	checkSealed(t, "read", read)
	checkSealed(t, "from the cache", readSealed(t, e, "ns", "x"))
	list, err := e.Actions(t.Context(), "ns", nil, 0, 0)
	if err != nil || len(list) != 1 || string(list[0].Parameters[0].Value) != string(read[0][0].Sealed) {
		t.Errorf("a list has %v, %v, want the stored form", list, err)
	}

	// Who sends back what was shown gets the same, also when nothing else is sealed.
	off := NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(1)})
	for name, e := range map[string]*Entities{"on": e, "off": off} {
		put, err := putSealed(t, e, "ns", name, shown(read[0]))
		if err != nil {
			t.Fatal(err)
		}
		checkSealed(t, "sent back, "+name, put)
	}
	open, err := putSealed(t, off, "ns", "open", sealedParameters())
	if err != nil || open[0][0].Sealed != nil {
		t.Errorf("without encryption: %+v, %v", open, err)
	}

	// What is shown of one namespace opens nothing in another.
	for name, bad := range map[string]whisk.Parameter{
		"another namespace's": shown(read[0])[0],
		"no text":             {Key: "k", Value: []byte("7"), Encryption: whisk.AES256},
		"no base64":           {Key: "k", Value: []byte(`"?"`), Encryption: whisk.AES256},
		"escapes":             {Key: "k", Value: []byte(`"\u0041AAA"`), Encryption: whisk.AES256},
		"another encryption":  {Key: "k", Value: shown(read[0])[0].Value, Encryption: "aes-128"},
	} {
		ns := whisk.Namespace("ns")
		if name == "another namespace's" {
			ns = "other"
		}
		_, err := putSealed(t, on(), ns, "bad", whisk.Parameters{bad})
		if whisk.KindOf(err) != whisk.BadRequest || !strings.Contains(whisk.MessageOf(err), "'"+bad.Key+"'") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(2)}).Action(t.Context(), whisk.ActionName{Namespace: "ns", Name: "xa"}); err == nil ||
		whisk.KindOf(err) != whisk.Internal {
		t.Errorf("with another key: %v", err)
	}
}

// A rule's triggers are written with it; a sequence's parameters are no secret.
func TestSealedWithOthers(t *testing.T) {
	ctx, engine := t.Context(), NewNone()
	e := NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(1), Encrypt: true})
	if _, err := putSealed(t, e, "ns", "x", sealedParameters()); err != nil {
		t.Fatal(err)
	}
	tr, err := e.Trigger(ctx, whisk.EntityName{Namespace: "ns", Name: "xt"})
	if err != nil {
		t.Fatal(err)
	}
	linked := *tr
	linked.Rules = []whisk.RuleLink{{Rule: whisk.EntityName{Namespace: "ns", Name: "r"}}}
	if _, err := e.PutRule(ctx, &whisk.Rule{Name: linked.Rules[0].Rule, Trigger: tr.Name}, 0, &linked); err != nil {
		t.Fatal(err)
	}
	checkSealed(t, "with a rule", readSealed(t, e, "ns", "x"))

	seq := &whisk.Action{Name: whisk.ActionName{Namespace: "ns", Name: "s"}, Exec: whisk.Exec{Kind: whisk.Sequence},
		Parameters: whisk.Parameters{{Key: "_actions", Value: []byte(`["/ns/a"]`)}}}
	if seq, err = e.PutAction(ctx, seq, nil, 0); err != nil || seq.Parameters[0].Sealed != nil {
		t.Errorf("sequence: %+v, %v", seq, err)
	}
}

func TestReseal(t *testing.T) {
	engine := NewNone()
	write := func(e *Entities, name string) {
		if _, err := putSealed(t, e, "ns", name, sealedParameters()); err != nil {
			t.Fatal(err)
		}
	}
	write(NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(1), Encrypt: true}), "sealed")
	write(NewEntities(engine, EntitiesConfig{Sealer: fakeSealer(1)}), "open")
	yes, no := true, false
	for _, tt := range []struct {
		name    string
		encrypt *bool
		sealed  map[string]bool
	}{
		{"as they are", nil, map[string]bool{"sealed": true, "open": false}},
		{"all", &yes, map[string]bool{"sealed": true, "open": true}},
		{"none", &no, map[string]bool{"sealed": false, "open": false}},
	} {
		next := NewNone()
		for _, d := range engine.docs {
			body, err := Reseal(d, fakeSealer(1), fakeSealer(2), tt.encrypt)
			if err != nil {
				t.Fatal(err)
			}
			d.Body = body
			if _, err := next.PutDoc(t.Context(), d, 0); err != nil {
				t.Fatal(err)
			}
		}
		e := NewEntities(next, EntitiesConfig{Sealer: fakeSealer(2)})
		for name, sealed := range tt.sealed {
			for i, ps := range readSealed(t, e, "ns", name) {
				if sealed {
					checkSealed(t, tt.name+": "+name, []whisk.Parameters{ps})
				} else if a, b := shown(ps), sealedParameters(); string(a.Arguments()) != string(b.Arguments()) || a[0].Encryption != "" {
					t.Errorf("%s: %s %d = %+v", tt.name, name, i, a)
				}
			}
		}
	}
	for _, d := range engine.docs {
		if _, err := Reseal(d, fakeSealer(3), fakeSealer(2), nil); (err != nil) != strings.HasPrefix(d.Name, "sealed") {
			t.Errorf("%s from another key: %v", d.Key, err)
		}
	}
}

func FuzzOpenParameter(f *testing.F) {
	b, err := fakeSealer(1).SealParameter("ns", []byte("1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`"` + base64.StdEncoding.EncodeToString(b) + `"`))
	f.Add([]byte(`""`))
	f.Add([]byte(`"`))
	f.Add([]byte(`"\"`))
	f.Fuzz(func(t *testing.T, value []byte) {
		p := whisk.Parameter{Value: value, Encryption: whisk.AES256}
		if openParameter(fakeSealer(1), "ns", &p) == nil && p.Size() != int64(len(p.Value)) {
			t.Errorf("%q: size %d of %q", value, p.Size(), p.Value)
		}
	})
}
