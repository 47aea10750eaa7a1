package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hearth/bench"
	"hearth/invoker/sandbox/process"
	"hearth/whisk"
)

// newBenchFloorCmd is how `hearth bench run` starts the processes of floors.
func newBenchFloorCmd() *cobra.Command {
	part := bench.DefaultFloorPart("")
	unix := ""
	cmd := &cobra.Command{
		Use:    "floor PART",
		Short:  "Serve one part of a floor (bench run does this itself)",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		Long: `Floor serves one part of a floor on a free port of the loopback, or on --unix, and prints its address.
It ends with SIGTERM, Ctrl-C or the end of its standard input. See bench/floors.go for the parts.`,
	}
	fs := cmd.Flags()
	fs.StringVar(&part.To, "to", "", "address of the part behind this one")
	fs.StringVar(&part.Family, "family", part.Family, "nodejs, python or go; for start: nodejs, python or static")
	fs.IntVar(&part.Children, "children", part.Children, "launchers behind the part")
	fs.StringVar(&unix, "unix", "", "path of a unix socket to listen on")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch part.Part = args[0]; part.Part {
		case "byte":
			_, err := os.Stdout.WriteString("!")
			return err
		case "node-echo":
			node, err := process.Interpreter("nodejs", process.DefaultConfig("").SearchPath)
			if err != nil {
				return err
			}
			return syscall.Exec(node, []string{"node", "-e", bench.NodeEchoCode}, []string{"PATH=/usr/bin:/bin"})
		case "loop":
			return echoLoop(os.Stdin, os.NewFile(3, "replies"))
		}
		ctx, cancel := context.WithCancel(cmd.Context())
		defer cancel()
		go func() { // whoever started this holds the other end
			_, _ = io.Copy(io.Discard, cmd.InOrStdin())
			cancel()
		}()
		network, addr := "tcp", "127.0.0.1:0"
		if unix != "" {
			network, addr = "unix", unix
		}
		ln, err := net.Listen(network, addr)
		if err != nil {
			return err
		}
		return bench.ServeFloor(ctx, ln, part, floorTools(), func() {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "listening %s\n", ln.Addr())
		})
	}
	return cmd
}

// floorTools are the sandboxes' insides that floors are made of.
func floorTools() bench.FloorTools {
	path := process.DefaultConfig("").SearchPath
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return bench.FloorTools{
		Launch: func(family string) (bench.Child, error) {
			if family == "go" {
				return process.StartBareLoop(self, "bench", "floor", "loop")
			}
			code, ok := bench.EchoCode[family]
			if !ok {
				return nil, fmt.Errorf("no launcher for %s", family)
			}
			b, err := process.StartBare(family, path)
			if err != nil {
				return nil, err
			}
			if err := b.Init(code); err != nil {
				return nil, errors.Join(err, b.Close())
			}
			return b, nil
		},
		Interpreter: func(family string) (string, error) { return process.Interpreter(family, path) },
		Static:      []string{self, "bench", "floor", "byte"},
	}
}

// echoLoop is an action in Go that returns its arguments: it speaks the
// ActionLoop protocol. It takes the value out by hand, as the fastest decoder
// would.
func echoLoop(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 64<<10)
	var line, reply []byte
	for {
		line = line[:0]
		for {
			part, err := r.ReadSlice('\n')
			line = append(line, part...)
			if err == nil {
				break
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return err
			}
		}
		value, ok := whisk.Field(line, "value")
		if !ok {
			return fmt.Errorf("no value in request %.60q", strings.TrimSpace(string(line)))
		}
		reply = append(append(reply[:0], value...), '\n')
		if _, err := out.Write(reply); err != nil {
			return err
		}
	}
}
