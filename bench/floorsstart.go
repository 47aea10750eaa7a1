package bench

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"syscall"
)

// startCommand returns the command that starts a language and has it write a
// byte, with no more of its library than that takes.
func startCommand(family string, tools FloorTools) ([]string, error) {
	switch family {
	case "static":
		if len(tools.Static) == 0 {
			return nil, fmt.Errorf("no static executable was handed in")
		}
		return tools.Static, nil
	case "native":
		return []string{"/bin/sh", "-c", "printf !"}, nil
	case "nodejs":
		p, err := tools.Interpreter(family)
		return []string{p, "-e", `require('fs').writeSync(1,'!')`}, err
	case "python":
		p, err := tools.Interpreter(family)
		return []string{p, "-I", "-S", "-c", "import os; os.write(1, b'!')"}, err
	}
	return nil, fmt.Errorf("no bare start of %q: there are nodejs, python, native, static", family)
}

// startHandler starts one process for each request and answers with the
// request's body as soon as that has written a byte. The process's end is not
// waited for.
func startHandler(family string, tools FloorTools) (http.Handler, error) {
	argv, err := startCommand(family, tools)
	if err != nil {
		return nil, err
	}
	return echoHandler(func(dst, body []byte) ([]byte, error) {
		if err := startOnce(argv); err != nil {
			return dst, err
		}
		return append(dst, body...), nil
	}), nil
}

func startOnce(argv []string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var one [1]byte
	_, err = io.ReadFull(out, one[:])
	// The rest, killing it and waiting for its end, need not be waited for by
	// whoever wants an answer.
	go func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err != nil {
		return fmt.Errorf("%s wrote nothing: %w", argv[0], err)
	}
	return nil
}
