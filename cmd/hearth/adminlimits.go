package main

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hearth/whisk"
)

func newAdminLimitsCmd(f *adminFlags) *cobra.Command {
	cmd := newGroup("limits", "manage the limits of namespaces",
		"A namespace has the system's limits unless others are set here. They hold at once, within the\nsystem's bounds, and stay when the last key of the namespace goes.")
	cmd.AddCommand(newLimitsSetCmd(f), newLimitsGetCmd(f), newLimitsDeleteCmd(f))
	return cmd
}

// nsLimit is one field of a namespace's limits: its flag and its name in
// answers are those of the document.
type nsLimit struct {
	name  string
	field reflect.Value
}

// nsLimits lists the fields of l, which they point into.
func nsLimits(l *whisk.NamespaceLimits) []nsLimit {
	v := reflect.ValueOf(l).Elem()
	out := make([]nsLimit, v.NumField())
	for i := range out {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		out[i] = nsLimit{name, v.Field(i)}
	}
	return out
}

// nsLimitHelp tells what the flags mean.
var nsLimitHelp = map[string]string{
	"invocationsPerMinute":  "action invocations in a minute",
	"firesPerMinute":        "trigger fires in a minute",
	"concurrentInvocations": "activations at a time",
	"allowedKinds":          "kinds that actions may have, such as nodejs:20 python:3.11",
	"storeActivations":      "whether activations are stored: yes or no",
	"minActionMemory":       "MB", "maxActionMemory": "MB",
	"minActionLogs": "MB", "maxActionLogs": "MB",
	"minActionTimeout": "ms", "maxActionTimeout": "ms",
	"minActionConcurrency": "activations in one sandbox", "maxActionConcurrency": "activations in one sandbox",
	"maxParameterSize": "size of parameters, such as \"1 MB\"",
	"maxPayloadSize":   "size of an invocation's payload, and of its result",
	"truncationSize":   "how much is shown of a result that is too large",
	"retention":        "how long activations are kept, such as 7d or 12h; 0: for ever",
}

// setter parses the text of one flag into a field.
type setter struct{ nsLimit }

func (s setter) Type() string   { return "value" }
func (s setter) String() string { return "" }

func (s setter) Set(text string) error {
	switch p := s.field.Addr().Interface().(type) {
	case **int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("invalid int value: '%s'", text)
		}
		*p = &n
	case **bool:
		v, err := yesOrNo(text)
		if err != nil {
			return err
		}
		*p = &v
	case **whisk.ByteSize:
		n, err := whisk.ParseByteSize(text)
		if err != nil {
			return err
		}
		*p = &n
	case **whisk.Retention:
		r, err := whisk.ParseRetention(text)
		if err != nil {
			return err
		}
		*p = &r
	case *[]string:
		*p = append(*p, text)
	}
	return nil
}

// yesOrNo reads a truth value as wskadmin does.
func yesOrNo(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "yes", "true":
		return true, nil
	case "no", "false":
		return false, nil
	}
	return false, fmt.Errorf("'%s' is not a valid boolean", text)
}

func newLimitsSetCmd(f *adminFlags) *cobra.Command {
	var l whisk.NamespaceLimits
	cmd := &cobra.Command{
		Use: "set NAMESPACE", Short: "set limits of a namespace; those that are not given stay",
		Example: "  hearth admin limits set guest --invocationsPerMinute 600 --allowedKinds nodejs:20 python:3.11",
	}
	fs := cmd.Flags()
	for _, n := range nsLimits(&l) {
		fs.Var(setter{n}, n.name, nsLimitHelp[n.name])
	}
	on := fs.Bool("enableStoreActivations", false, "store activations")
	off := fs.Bool("disableStoreActivations", false, "do not store activations")
	cmd.MarkFlagsMutuallyExclusive("enableStoreActivations", "disableStoreActivations", "storeActivations")
	return f.verb(cmd, 0, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		if *on || *off {
			l.StoreActivations = on
		}
		if k := l.AllowedKinds; len(args) == 0 && len(k) > 1 { // "--allowedKinds A B NAMESPACE"
			args, l.AllowedKinds = k[len(k)-1:], k[:len(k)-1]
		}
		if len(args) == 0 {
			return 0, usageError(fmt.Errorf("want \"%s\"", cmd.UseLine()))
		}
		if err := op.SetLimits(ctx, whisk.Namespace(args[0]), l); err != nil {
			return refused(out, err, "")
		}
		out.printf("Limits successfully set for \"%s\"\n", args[0])
		return 0, nil
	})
}

func newLimitsGetCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "get NAMESPACE", Short: "show the limits that were set for a namespace"}
	return f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		l, err := op.Limits(ctx, whisk.Namespace(args[0]))
		if whisk.KindOf(err) == whisk.NotFound {
			out.printf("No limits found, default system limits apply\n")
			return 0, nil // as wskadmin
		}
		if err != nil {
			return 0, err
		}
		for _, n := range nsLimits(&l) {
			if !n.field.IsZero() {
				out.printf("%s = %s\n", n.name, n.text())
			}
		}
		return 0, nil
	})
}

// text returns the value as wskadmin, which is written in Python, prints it.
func (n nsLimit) text() string {
	switch v := n.field.Interface().(type) {
	case *int64:
		return strconv.FormatInt(*v, 10)
	case *bool:
		if *v {
			return "True"
		}
		return "False"
	case fmt.Stringer: // sizes and times
		return v.String()
	case []string:
		return "['" + strings.Join(v, "', '") + "']"
	}
	return ""
}

func newLimitsDeleteCmd(f *adminFlags) *cobra.Command {
	cmd := &cobra.Command{Use: "delete NAMESPACE", Short: "give a namespace the system's limits again"}
	return f.verb(cmd, 1, 1, func(ctx context.Context, op operator, out *printer, args []string) (int, error) {
		if err := op.DeleteLimits(ctx, whisk.Namespace(args[0])); err != nil {
			return refused(out, err, "Failed to delete limits (%s)")
		}
		out.printf("Limits deleted\n")
		return 0, nil
	})
}
