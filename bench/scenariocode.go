package bench

// EchoCode holds the sources of actions that return their arguments, by family
// of kinds. An argument "ms" has nodejs' wait for so long first, which takes no
// CPU.
var EchoCode = map[string]string{
	"nodejs": `function main(args) {
  return args.ms ? new Promise((done) => setTimeout(done, args.ms, args)) : args
}`,
	"python": "def main(args):\n    return args\n",
	"native": "#!/bin/sh\nprintf '%s\\n' \"$1\"\n",
}

// NodeEchoCode is node's HTTP server that answers with the body. It ends with
// its standard input, as the other parts of floors do.
const NodeEchoCode = `
const server = require('http').createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    res.end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log('listening 127.0.0.1:' + server.address().port));
process.stdin.on('end', () => process.exit()).resume();
`
