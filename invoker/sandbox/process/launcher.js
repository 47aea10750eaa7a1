'use strict';
// Hearth's launcher for Node.js. See the package's doc.go for the protocol.
// It reads requests synchronously: that is fastest, and while no activation is
// under way nothing runs here, as in a paused container.
const fs = require('fs');
const path = require('path');
const Module = require('module');
const { Writable } = require('stream');
const { pathToFileURL } = require('url');

const IN = 10, OUT = 11;
const parse = JSON.parse, stringify = JSON.stringify; // user code may replace them
const writeSync = fs.writeSync, readSync = fs.readSync;

// keepAlive holds the event loop open while a promise is pending that nothing
// will ever settle: that is for the time limit to end.
setInterval(() => {}, 0x7fffffff);
process.argv.length = 1;

function writeAll(fd, data) {
  let b = Buffer.isBuffer(data) ? data : Buffer.from(data);
  while (b.length > 0) {
    try {
      b = b.subarray(writeSync(fd, b, 0, b.length));
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // somebody made the pipe non-blocking
    }
  }
}

// Output is written synchronously, so that all of it is in the pipe before the
// reply is.
function output(fd) {
  let stream;
  return {
    configurable: true,
    enumerable: true,
    get() {
      if (!stream) {
        stream = new Writable({
          decodeStrings: true,
          write(chunk, encoding, done) {
            try { writeAll(fd, chunk); done(); } catch (e) { done(e); }
          },
        });
        stream.fd = fd;
        stream._type = 'pipe';
        stream.destroySoon = stream.destroy = function () { return this; };
      }
      return stream;
    },
  };
}
Object.defineProperty(process, 'stdout', output(1));
Object.defineProperty(process, 'stderr', output(2));

process.on('unhandledRejection', (reason) => console.error('Unhandled rejection:', reason));

let buffer = Buffer.allocUnsafe(64 << 10), start = 0, end = 0;

// nextLine blocks until a whole line is there; null at the end.
function nextLine() {
  let seen = start;
  for (;;) {
    const i = buffer.subarray(0, end).indexOf(10, seen);
    if (i >= 0) {
      const line = buffer.toString('utf8', start, i);
      start = i + 1;
      if (start === end) start = end = 0;
      return line;
    }
    seen = end;
    if (end === buffer.length) {
      if (start > 0) {
        buffer.copyWithin(0, start, end);
      } else {
        const bigger = Buffer.allocUnsafe(2 * buffer.length);
        buffer.copy(bigger, 0, 0, end);
        buffer = bigger;
      }
      seen -= start;
      end -= start;
      start = 0;
    }
    let n;
    try {
      n = readSync(IN, buffer, end, buffer.length - end);
    } catch (e) {
      if (e.code === 'EINTR') continue;
      throw e;
    }
    if (n === 0) return null;
    end += n;
  }
}

function reply(id, status, body) {
  const text = `${id} ${status} ${body}\n`;
  if (text.length > 1024) { // a shorter one is written whole or not at all
    writeAll(OUT, text);
  } else {
    try {
      writeSync(OUT, text);
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e;
      writeAll(OUT, text);
    }
  }
  if (buffer.length > 1 << 20 && start === end) { // a big request has passed
    buffer = Buffer.allocUnsafe(64 << 10);
    start = end = 0;
  }
}

function fail(id, status, message) {
  reply(id, status, stringify({ error: message }));
}

function isPromise(v) {
  return v !== null && (typeof v === 'object' || typeof v === 'function') && typeof v.then === 'function';
}

// serve waits for the next request. Before that is handled the event loop
// turns once, so that what earlier code left there (a timer, a closed socket)
// is dealt with while an activation is under way and never between two.
function serve() {
  const line = nextLine();
  if (line === null) process.reallyExit(0);
  setImmediate(handle, parse(line));
}

function handle(request) {
  const pending = request.init ? init(request) : run(request);
  if (pending) pending.then(serve);
  else serve();
}

let main;

function init({ init, activation_id: id, env }) {
  for (const k in env) process.env[k] = env[k];
  const failed = (e) => {
    const text = e && e.stack ? String(e.stack) : String(e);
    console.error(text);
    fail(id, 502, `Initialization has failed due to: ${text}`);
  };
  const loaded = (f) => {
    if (typeof f !== 'function') throw new Error(`Action entrypoint '${init.main}' is not a function.`);
    main = f;
    reply(id, 200, '{"OK":true}');
  };
  try {
    process.chdir(init.folder);
    const f = init.file ? evaluate(init) : load(init);
    if (isPromise(f)) return f.then(loaded).catch(failed);
    loaded(f);
  } catch (e) {
    failed(e);
  }
}

// evaluate runs source text as node's own loader runs a CommonJS module (which
// is what lets it import modules in every version) and returns what it calls
// main there, or exports as main.
function evaluate({ main, file, folder }) {
  const name = path.join(folder, 'action.js');
  const text = fs.readFileSync(file, 'utf8');
  const module = new Module(name);
  module.filename = name;
  module.paths = Module._nodeModulePaths(folder);
  return module._compile(`${text}
;try { return ${main}; } catch (e) {
  if (!(e instanceof ReferenceError)) throw e;
  const f = module.exports.${main} || exports.${main};
  if (f === undefined) throw e;
  return f;
}`, name);
}

// load requires an unpacked archive, or imports it if it is an ES module.
function load({ main, folder }) {
  const dot = main.lastIndexOf('.');
  const file = dot < 0 ? undefined : main.slice(0, dot);
  const name = main.slice(dot + 1);
  const has = (f) => fs.existsSync(path.join(folder, f));
  if (file === undefined && !has('package.json') && !has('index.js') && !has('index.mjs')) {
    throw 'Zipped actions must contain either package.json or index.js at the root.';
  }
  const pkg = has('package.json') ? parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')) : {};
  if (!has('node_modules') && Object.keys(pkg.dependencies || {}).length > 0 && process.env.OW_ENABLE_INIT_INSTALL !== 'false') {
    install(folder);
  }
  const entry = file !== undefined ? file : (pkg.main || (has('index.js') ? 'index.js' : has('index.mjs') ? 'index.mjs' : 'index.js'));
  const require = Module.createRequire(path.join(folder, 'package.json'));
  const pick = (m) => member(m, name) || (m && m.default && member(m.default, name));
  if (/\.mjs$/.test(entry) || (pkg.type === 'module' && !/\.cjs$/.test(entry))) {
    return import(pathToFileURL(require.resolve(path.join(folder, entry)))).then((m) => pick(m) || (typeof m.default === 'function' ? m.default : undefined));
  }
  return member(require(file !== undefined ? path.join(folder, file) : folder), name);
}

function member(m, name) {
  return m === null || m === undefined ? undefined : m[name];
}

function install(folder) {
  const r = require('child_process').spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
  if (r.error) throw new Error(`npm install: ${r.error.message}`);
  process.stdout.write(r.stdout);
  process.stderr.write(r.stderr);
  if (r.status !== 0) throw new Error(`npm install failed: ${r.stderr.slice(-2000)}`);
}

// context holds what the run before has set. To set a variable is dear, to look
// whether it is still so costs half, and most are.
const context = Object.create(null);
const names = Object.create(null);

function run(request) {
  const id = request.activation_id;
  for (const k in request) {
    if (k === 'value') continue;
    const v = request[k];
    const name = names[k] || (names[k] = '__OW_' + k.toUpperCase());
    if (context[k] !== v || process.env[name] !== v) process.env[name] = context[k] = v;
  }
  try {
    const result = main(request.value);
    if (isPromise(result)) {
      return Promise.resolve(result).then(
        (v) => finish(id, v),
        (e) => finish(id, { error: e ? plain(e) : {} }));
    }
    finish(id, result);
  } catch (e) {
    console.error(e);
    fail(id, 502, `An error has occurred: ${text(e)}`);
  }
}

function finish(id, result) {
  if (result === undefined) result = {};
  if (typeof result !== 'object') {
    console.error(`Result must be of type object but has type "${typeof result}":`, result);
    fail(id, 502, 'The action did not return a dictionary.');
    return;
  }
  let body;
  try {
    body = stringify(result);
    if (body === undefined) body = '{}';
  } catch (e) {
    console.error(e);
    fail(id, 502, `An error has occurred: ${text(e)}`);
    return;
  }
  reply(id, 200, body);
}

function text(e) {
  try { return String(e); } catch { return 'an error without a text'; }
}

// plain makes JSON of what was thrown. Errors show their own fields, which
// JSON would leave out.
function plain(v, seen = []) {
  if (typeof v === 'function') return `[Function: ${v.name || 'anonymous'}]`;
  if (typeof v === 'bigint' || typeof v === 'symbol') return String(v);
  if (v === null || typeof v !== 'object') return v;
  if (seen.includes(v)) return '[Circular]';
  if (typeof v.toJSON === 'function') return v;
  seen = [...seen, v];
  const out = Array.isArray(v) ? [] : {};
  for (const k of Object.keys(v)) {
    if (typeof v[k] !== 'function') out[k] = plain(v[k], seen);
  }
  for (const k of ['name', 'message', 'stack', 'code']) {
    if (typeof v[k] === 'string') out[k] = v[k];
  }
  return out;
}

writeAll(OUT, 'ready\n');
serve();
