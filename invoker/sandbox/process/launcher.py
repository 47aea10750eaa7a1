# Hearth's launcher for Python. See the package's doc.go for the protocol.
import json
import os
import sys

IN, OUT = 10, 11


def write_all(data):
    while data:
        try:
            data = data[os.write(OUT, data):]
        except BlockingIOError:  # somebody made the pipe non-blocking
            import select
            select.select([], [OUT], [])


def flush():
    for f in (sys.stdout, sys.stderr):
        try:
            f.flush()
        except Exception:
            pass


def reply(id, status, body):
    flush()
    try:
        data = body.encode()
    except UnicodeEncodeError:  # half a character: JSON can only carry it escaped
        data = json.dumps(json.loads(body)).encode()
    write_all(b"%s %d %s\n" % (id.encode(), status, data))


def fail(id, status, message):
    reply(id, status, json.dumps({"error": message}))


def show_traceback():
    kind, value, tb = sys.exc_info()
    while tb is not None and tb.tb_frame.f_code.co_filename == __file__:
        tb = tb.tb_next  # the launcher's own frames
    sys.__excepthook__(kind, value, tb)


def load(init):
    folder, file, name = init["folder"], init.get("file"), init["main"]
    os.chdir(folder)
    sys.path.insert(0, folder)
    if not file:
        file = os.path.join(folder, "__main__.py")
        if not os.path.exists(file):
            raise ImportError("Zip file does not include __main__.py at the root.")
        activate = os.path.join(folder, "virtualenv", "bin", "activate_this.py")
        if os.path.exists(activate):
            with open(activate, "rb") as f:
                exec(compile(f.read(), activate, "exec"), {"__file__": activate, "__name__": "activate_this"})
    with open(file, "rb") as f:
        code = compile(f.read(), file, "exec")
    module = type(sys)("main__")
    module.__file__ = file
    sys.modules["main__"] = module
    exec(code, module.__dict__)
    try:
        main = getattr(module, name)
    except AttributeError:
        raise NameError("name '%s' is not defined" % name) from None
    if not callable(main):
        raise TypeError("Action entrypoint '%s' is not a function." % name)
    return main


def serve():
    main = None
    requests = open(IN, "rb", closefd=False)
    for line in requests:
        request = json.loads(line)
        id = request["activation_id"]
        if "init" in request:
            os.environ.update(request["env"])
            try:
                main = load(request["init"])
            except Exception as e:
                show_traceback()
                fail(id, 502, "Initialization has failed due to: %s: %s" % (type(e).__name__, e))
            else:
                reply(id, 200, '{"ok":true}')
            continue
        for k, v in request.items():
            if k != "value":
                os.environ["__OW_" + k.upper()] = v
        try:
            result = main(request["value"])
            if isinstance(result, (dict, list)):
                body = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
            else:
                body = None
        except Exception as e:
            show_traceback()
            fail(id, 200, str(e))
            continue
        if body is None:
            fail(id, 502, "The action did not return a dictionary or array.")
        else:
            reply(id, 200, body)
        del request, result, body, line


sys.argv[:] = [""]
for fd in (IN, OUT):
    os.set_inheritable(fd, False)
for f in (sys.stdout, sys.stderr):
    f.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
version = "python%d.%d" % sys.version_info[:2]
for folder in (
    "%s/local/lib/%s/dist-packages" % (sys.prefix, version),
    "%s/lib/python3/dist-packages" % sys.prefix,
    "%s/lib/%s/site-packages" % (sys.prefix, version),
):
    if os.path.isdir(folder):
        sys.path.append(folder)
write_all(b"ready\n")
serve()
flush()
os._exit(0)
