package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultConfigFile is read when it is there and no other is named.
const defaultConfigFile = "/etc/hearth/hearth.conf"

// withSettings makes a server command take each of its flags from the
// environment (--data as HEARTH_DATA) and from a file of "name = value" lines
// too. A flag beats the environment, which beats the file.
func withSettings(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String("config", "", "file of settings, one \"flag-name = value\" a line (default "+defaultConfigFile+", if it is there)")
	cmd.Long += "\n\nEach flag is also read from the environment (--ops-addr as HEARTH_OPS_ADDR) and from the --config\nfile; a flag on the command line wins, then the environment, then the file."
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		return loadSettings(cmd.Flags(), os.LookupEnv)
	}
	return cmd
}

func loadSettings(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	return load(flags, env, true)
}

// load reads settings. strict says that an unknown one in the file is an error.
func load(flags *pflag.FlagSet, env func(string) (string, bool), strict bool) error {
	if err := settingsFromEnv(flags, env); err != nil {
		return usageError(err)
	}
	name, err := flags.GetString("config")
	if err != nil {
		return err
	}
	if err := settingsFromFile(flags, name, strict); err != nil {
		return usageError(err)
	}
	return nil
}

// loadSharedSettings is loadSettings for a command that has a few flags in common
// with the server: others in its settings file do not matter.
func loadSharedSettings(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	return load(flags, env, false)
}

func settingsFromEnv(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "HEARTH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		v, ok := env(name)
		if !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, v); err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", name, unquoted(err, v)))
		}
	})
	return errors.Join(errs...)
}

// settingsFromFile sets the flags that neither command line nor environment
// has set; one that may be repeated may be so in the file too. Where that is strict
// an unknown name is an error: a misspelt setting must not be lost.
func settingsFromFile(flags *pflag.FlagSet, name string, strict bool) error {
	must := name != ""
	if !must {
		name = defaultConfigFile
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil
	}
	if err != nil {
		return fmt.Errorf("settings file: %w", err)
	}
	defer f.Close()
	given := map[string]bool{}
	flags.VisitAll(func(f *pflag.Flag) { given[f.Name] = f.Changed })
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimSpace(in.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		flag := flags.Lookup(key)
		if ok && flag == nil && !strict {
			continue
		}
		if !ok || flag == nil || key == "config" || key == "help" {
			return fmt.Errorf("%s:%d: want \"flag-name = value\" with a flag of this command", name, n)
		}
		if given[key] {
			continue
		}
		if err := flags.Set(key, value); err != nil {
			return fmt.Errorf("%s:%d: %s: %w", name, n, key, unquoted(err, value))
		}
	}
	return in.Err()
}

// unquoted keeps a secret value out of pflag's message.
func unquoted(err error, value string) error {
	if value == "" || !strings.Contains(err.Error(), value) {
		return err
	}
	return errors.New("the value cannot be read; see --help")
}
