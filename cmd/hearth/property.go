package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hearth/client"
)

func newPropertyCmd() *cobra.Command {
	cmd, f := newClientGroup("property", "work with the client's properties",
		`The client keeps where and who in the file .wskprops in the home directory, or
in the one that WSK_CONFIG_FILE names. Flags and the variables WHISK_APIHOST,
WHISK_AUTH and WHISK_APIVERSION go before it.

  hearth property set --apihost http://127.0.0.1:3233 --auth UUID:KEY
  hearth property get`)
	cmd.AddCommand(newPropertyGetCmd(f), newPropertySetCmd(), newPropertyUnsetCmd())
	return cmd
}

// property describes what one line of the file is for.
type property struct {
	key   string // in the file
	flag  string
	label string // in messages
}

var properties = []property{
	{"CERT", "cert", "client cert"},
	{"KEY", "key", "client key"},
	{"AUTH", "auth", "whisk auth"},
	{"APIHOST", "apihost", "whisk API host"},
	{"APIVERSION", "apiversion", "whisk API version"},
}

func newPropertySetCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "set",
		Short:   "set property",
		Example: `  hearth property set --apihost http://127.0.0.1:3233 --auth UUID:KEY`,
		Args:    noWords,
	}
	fs := cmd.Flags()
	fs.StringP("auth", "u", "", "authorization `KEY`")
	fs.String("cert", "", "client cert")
	fs.String("key", "", "client key")
	fs.String("apihost", "", "API `HOST`")
	fs.String("apiversion", "", "API `VERSION`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := newPrinter(cmd.OutOrStdout())
		path, err := propsPath()
		if err != nil {
			return err
		}
		props, err := readProps(path)
		if err != nil {
			return sorry("Unable to set the property value: %w", err)
		}
		var said strings.Builder
		var bad error
		for _, p := range properties {
			v, _ := fs.GetString(p.flag)
			if v == "" {
				continue
			}
			if p.flag == "apihost" {
				if _, err := client.BaseURL(v); err != nil {
					bad = refuse(exitGeneral, "Unable to set API host value; the API host value '%s' is invalid: %w", v, err)
					continue
				}
			}
			if err := props.set(p.key, v); err != nil {
				return sorry("Unable to set the property value(s): %w", err)
			}
			if strings.HasPrefix(p.flag, "api") {
				fmt.Fprintf(&said, "ok: %s set to %s\n", p.label, v)
			} else {
				fmt.Fprintf(&said, "ok: %s set. Run 'hearth property get --%s' to see the new value.\n", p.label, p.flag)
			}
		}
		if err := writeProps(path, props); err != nil {
			return sorry("Unable to set the property value(s): Whisk properties file write failure: %w", err)
		}
		out.printf("%s", said.String())
		if bad != nil {
			return bad
		}
		return out.err
	}
	return cmd
}

func newPropertyUnsetCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "unset", Short: "unset property", Args: noWords}
	fs := cmd.Flags()
	for _, p := range properties {
		fs.Bool(p.flag, false, p.label)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		out := newPrinter(cmd.OutOrStdout())
		path, err := propsPath()
		if err != nil {
			return err
		}
		props, err := readProps(path)
		if err != nil {
			return sorry("Unable to unset the property value: %w", err)
		}
		var said strings.Builder
		for _, p := range properties {
			if yes, _ := fs.GetBool(p.flag); !yes {
				continue
			}
			props.unset(p.key)
			fmt.Fprintf(&said, "ok: %s unset", p.label)
			if p.flag == "apiversion" {
				fmt.Fprintf(&said, "; the default value of %s will be used", client.DefaultConfig().Version)
			}
			said.WriteString(".\n")
		}
		if err := writeProps(path, props); err != nil {
			return sorry("Unable to unset the property value: Whisk properties file write failure: %w", err)
		}
		out.printf("%s", said.String())
		return out.err
	}
	return cmd
}

// namespaceOf returns the namespace that the key opens, "_" if that cannot be
// found out.
func (s *session) namespaceOf(ctx context.Context) string {
	ctx, cancel := within(ctx)
	defer cancel()
	if list, err := s.Namespaces(ctx); err == nil && len(list) > 0 {
		return list[0]
	}
	return "_"
}
