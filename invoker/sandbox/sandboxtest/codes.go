package sandboxtest

import (
	"encoding/base64"

	"hearth/whisk"
)

// codes holds, for each family of runtimes, code that does what its name says:
//
//	echo    replies {"args": args, "env": {variables that begin with __OW_}}
//	count   replies {"n": how often it has run}
//	say     prints args.text to stdout and "e:" + args.text to stderr, replies {}
//	loop    never ends
//	exit    ends the process
//	initexit, initloop, initsay   do so while they are loaded
//	spam    prints args.n lines of 1023 characters, replies {}
//	eat     allocates memory without end
//	text    replies something that is neither an object nor an array
//	syntax  cannot be loaded
//	junk    writes junk to every descriptor from 3 to 63, replies {}
//	big     replies {"x": args.n letters}
//	child   leaves processes behind that left its session, replies {"pids": …}
//	late    replies {} and prints 50 ms later
//	dies    replies {} and ends the process 50 ms later
//
// A name that a family lacks is something that it cannot do.
var codes = map[string]map[string]string{
	"nodejs": {
		"echo":     `function main(args) { const env = {}; for (const k in process.env) if (k.startsWith('__OW_')) env[k] = process.env[k]; return { args, env }; }`,
		"count":    `let n = 0; const main = async () => ({ n: ++n })`,
		"say":      `function main({ text }) { console.log(text); console.error('e:' + text); return {}; }`,
		"loop":     `function main() { for (;;); }`,
		"exit":     `function main() { process.exit(3); }`,
		"initexit": `process.exit(3);`,
		"initloop": `for (;;);`,
		"initsay":  `console.log('loading'); function main() { console.log('running'); return {}; }`,
		"spam":     `function main({ n }) { const l = 'x'.repeat(1023); for (let i = 0; i < n; i++) console.log(l); return {}; }`,
		"eat":      `function main() { const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1)); }`,
		"text":     `const main = () => 'just text'`,
		"syntax":   `function main( {`,
		"junk":     `function main() { for (let fd = 3; fd < 64; fd++) try { require('fs').writeSync(fd, 'junk\n{"x":1}\n'); } catch (e) {} return {}; }`,
		"big":      `function main({ n }) { return { x: 'x'.repeat(n) }; }`,
		"child":    `const { spawn } = require('child_process'); function main() { const pids = []; for (let i = 0; i < 3; i++) pids.push(spawn('/bin/sleep', ['300'], { detached: true, stdio: i ? 'ignore' : 'inherit' }).pid); return { pids }; }`,
	},
	"python": {
		"echo":     "import os\ndef main(args):\n    return {'args': args, 'env': {k: v for k, v in os.environ.items() if k.startswith('__OW_')}}",
		"count":    "n = 0\ndef main(args):\n    global n\n    n += 1\n    return {'n': n}",
		"say":      "import sys\ndef main(args):\n    print(args['text'])\n    print('e:' + args['text'], file=sys.stderr)\n    return {}",
		"loop":     "def main(args):\n    while True: pass",
		"exit":     "import sys\ndef main(args):\n    sys.exit(3)",
		"initexit": "import os\nos._exit(3)",
		"initloop": "while True: pass",
		"initsay":  "print('loading')\ndef main(args):\n    print('running')\n    return {}",
		"spam":     "def main(args):\n    for i in range(args['n']): print('x' * 1023)\n    return {}",
		"eat":      "def main(args):\n    a = []\n    while True: a.append(b'1' * (1 << 20))",
		"text":     "def main(args):\n    return 'just text'",
		"syntax":   "def main(args:",
		"junk":     "import os\ndef main(args):\n    for fd in range(3, 64):\n        try: os.write(fd, b'junk\\n{\"x\":1}\\n')\n        except OSError: pass\n    return {}",
		"big":      "def main(args):\n    return {'x': 'x' * args['n']}",
		"child":    "import subprocess\ndef main(args):\n    return {'pids': [subprocess.Popen(['/bin/sleep', '300'], start_new_session=True, stdout=None if i == 0 else subprocess.DEVNULL).pid for i in range(3)]}",
		"late":     "import threading\ndef main(args):\n    threading.Timer(0.05, lambda: print('late', flush=True)).start()\n    return {}",
		"dies":     "import os, threading\ndef main(args):\n    threading.Timer(0.05, lambda: os._exit(3)).start()\n    return {}",
	},
	// An ActionLoop program may be anything that can be executed.
	"go": {
		"echo":     loop(`echo "{\"args\":$line,\"env\":{\"__OW_API_HOST\":\"$__OW_API_HOST\",\"__OW_ACTION_NAME\":\"$__OW_ACTION_NAME\",\"more\":\"$more\"}}" >&3`),
		"count":    loop(`n=$((n+1)); echo "{\"n\":$n}" >&3`),
		"say":      loop(`t=${line#*'"text":"'}; t=${t%%'"'*}; echo "$t"; echo "e:$t" >&2; echo '{}' >&3`),
		"loop":     loop(`while :; do :; done`),
		"exit":     loop(`exit 3`),
		"initexit": base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\nexit 3\n")),
		"initsay":  base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho loading\nwhile read -r line; do echo running; echo '{}' >&3; done\n")),
		"text":     loop(`echo '"just text"' >&3`),
		"junk":     loop(`echo junk >&3; echo '{}' >&3`),
		"child":    loop(`setsid sleep 300 & a=$!; setsid sleep 300 >/dev/null 2>&1 3>&- & echo "{\"pids\":[$a,$!]}" >&3`),
		"late":     loop(`(sleep 0.05; echo late) & echo '{}' >&3`),
		"dies":     loop(`echo '{}' >&3; sleep 0.05; exit 3`),
	},
	whisk.Blackbox: {
		"echo":  "#!/bin/sh\nread -r line\nprintf '{\"args\":%s,\"env\":{' \"$line\"\nenv | sed -n 's/^\\(__OW_[A-Z_]*\\)=\\(.*\\)$/\"\\1\":\"\\2\",/p' | tr -d '\\n'\necho '\"x\":\"\"}}'",
		"say":   "#!/bin/sh\nt=${1#*'\"text\":\"'}; t=${t%%'\"'*}\necho \"$t\"; echo \"e:$t\" >&2; echo '{}'",
		"loop":  "#!/bin/sh\nwhile :; do :; done",
		"exit":  "#!/bin/sh\necho '{\"ok\":1}'; exit 3", // its exit code does not matter
		"text":  "#!/bin/sh\necho before; echo just text",
		"junk":  "#!/bin/sh\n(echo junk >&3) 2>/dev/null; (echo junk >&9) 2>/dev/null; echo '{}'",
		"child": "#!/bin/sh\nsetsid sleep 300 & a=$!\nsetsid sleep 300 >/dev/null 2>&1 &\necho \"{\\\"pids\\\":[$a,$!]}\"",
	},
}

// loop is an ActionLoop program that does body for each line.
func loop(body string) string {
	return base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\nwhile read -r line; do " + body + "; done\n"))
}

// binary reports whether the family's codes are base64.
func (tg target) binary() bool { return tg.family == "go" }
