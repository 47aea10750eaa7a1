package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"hearth/whisk"
)

// leaves calls f for each value within v that has no fields of its own, with
// its path.
func leaves(v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			leaves(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case v.Kind() == reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		leaves(v.Elem(), path, f)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	default:
		f(path, v)
	}
}

// fill gives a value that no other has, and that is not the one it has.
func fill(t *testing.T, path string, v reflect.Value, n int) {
	switch v.Interface().(type) {
	case json.RawMessage:
		v.SetBytes(fmt.Appendf(nil, `{"n":%d}`, n))
		return
	case []string:
		v.Set(reflect.ValueOf([]string{"line", fmt.Sprint(n)}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d", path, n))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(-1000 * n))
	case reflect.Uint8:
		v.SetUint(uint64(n%200) + 7)
	case reflect.Uint32:
		v.SetUint(uint64(1000 * n))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64((n + i) % 256))
		}
	default:
		t.Fatalf("%s: the test does not know the type %v", path, v.Type())
	}
}

func fillAll(t *testing.T, v any) {
	n := 0
	leaves(reflect.ValueOf(v).Elem(), "", func(path string, v reflect.Value) {
		n++
		fill(t, path, v, n)
	})
}

// A field that is added to a call is carried, or this test fails.
func TestCallFields(t *testing.T) {
	c := &whisk.Call{}
	fillAll(t, c)
	for name, header := range map[string][]byte{
		"with its setting":   callHeader(c),
		"after its settings": appendCall([]byte{2}, c),
	} {
		var known heard
		for n := range 2 {
			if err := known.learn(appendSetting([]byte{byte(n)}, c)); err != nil {
				t.Fatal(err)
			}
		}
		c.Target.Parameters, c.Target.Exec.Components = nil, nil // no invoker is to know them
		got := &whisk.Call{}
		err := decodeCall(got, appendParts(nil, [][]byte{header, c.Args, c.Env}), false, known)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: got\n%+v %+v, %v, want\n%+v %+v", name, got, got.Target, err, c, c.Target)
		}
	}
}

// Whatever differs between a record and what its call says of it is carried.
func TestRecordFields(t *testing.T) {
	c := &whisk.Call{}
	fillAll(t, c)
	usual := c.Record()
	usual.Start, usual.End, usual.Logs, usual.Response.Size = 1, 2, []string{"", "x"}, 3
	check := func(name string, want *whisk.Activation, c *whisk.Call) {
		t.Helper()
		load := whisk.Load{}
		fillAll(t, &load)
		b := replyPayload(whisk.Reply{Kind: whisk.Done, Record: want, Load: load}, c, 1<<20)
		got, err := decodeReply(b, false, c)
		if err != nil || !reflect.DeepEqual(got.Record, want) || got.Load != load {
			t.Errorf("%s is not carried (%v)", name, err)
		}
	}
	check("usual", usual, c)
	check("usual, of an unknown call", usual, nil)
	var paths []string
	leaves(reflect.ValueOf(&whisk.Activation{}).Elem(), "", func(path string, _ reflect.Value) { paths = append(paths, path) })
	for i, change := range paths {
		a, limits := *usual, *usual.Facts.Limits
		a.Facts.Limits = &limits
		n := 0
		leaves(reflect.ValueOf(&a).Elem(), "", func(path string, v reflect.Value) {
			if n == i {
				fill(t, path, v, 300)
			}
			n++
		})
		if reflect.DeepEqual(&a, usual) {
			t.Fatalf("%s was not changed", change)
		}
		check(change, &a, c)
	}
	check("without limits", &whisk.Activation{ID: c.ID}, c)
}

func TestIsPath(t *testing.T) {
	for _, n := range []whisk.ActionName{{Namespace: "n", Name: "a"}, {Namespace: "n", Package: "p", Name: "a"}, {}} {
		if !isPath(n.Path(), &n) {
			t.Errorf("%q is not the path of %+v", n.Path(), n)
		}
		for _, s := range []string{"", "n", "n/", "n/b", "n/p", "n/pa", "n/p/", "n/p/b", "n/p/a/", "n//a", "m/a", "n/q/a"} {
			if s != n.Path() && isPath(s, &n) {
				t.Errorf("%q is taken for the path of %+v", s, n)
			}
		}
	}
}
