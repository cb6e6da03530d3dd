"""A Python kernel in one process: Jupyter's ipykernel in the main thread, and its client in a second thread.

The client speaks Jupyter's messages with the kernel, and lines of JSON with the server: requests arrive on the
original stdin, events go to the original stdout. Code that runs in the kernel has an empty stdin, and its outputs
are read here. Runs on any ipykernel from 6.7 on that the computer has, with Python 3.9 or newer.
"""

import base64
import io
import json
import os
import re
import signal
import sys
import threading

requests = os.fdopen(os.dup(0), "rb")
events = os.dup(1)
marks = os.dup(2)
sending = threading.Lock()


def write_all(file, data):
    while data:
        data = data[os.write(file, data) :]


def send(**event):
    line = json.dumps(event).encode() + b"\n"
    with sending:
        write_all(events, line)


def hide_files():
    """Hides the three standard files from the user's code; what it writes to the outputs by number arrives through
    pipes.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    pipes = {}
    for number, name in ((1, "stdout"), (2, "stderr")):
        pipes[name], writer = os.pipe()
        os.set_blocking(pipes[name], False)
        os.dup2(writer, number)
        os.close(writer)
    return pipes


# Modules that only editors and debuggers need take most of the start time; the user's code may import them later.
unused = [name for name in ("debugpy", "jedi") if name not in sys.modules]
for name in unused:
    sys.modules[name] = None
try:
    import zmq
    from ipykernel import kernelapp
    from ipykernel.iostream import IOPubThread, OutStream
    from jupyter_client.session import Session
    from traitlets.config import Config
except ImportError as error:
    send(event="missing", message=str(error))
    sys.exit(1)
finally:
    for name in unused:
        del sys.modules[name]

import codecs  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
import traceback  # noqa: E402
import types  # noqa: E402

pipes = hide_files()


class KernelStream(OutStream):
    """Jupyter's stdout or stderr, in one order with what is written to its file descriptor, and limited at the source.
    """

    left = 0
    cut = False
    # In seconds. Output that is not flushed when the kernel dies is lost.
    flush_interval = 0.02

    def __init__(self, session, pub_thread, name, pipe=None, echo=None, **options):
        options["watchfd"] = False
        super().__init__(session, pub_thread, name, **options)
        self.pipe = pipes[name]
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.draining = threading.RLock()

    def allow(self, count):
        self.left = count
        self.cut = False

    def drain(self):
        """Reads what programs have written to the file descriptor so far."""
        if os.getpid() != self._master_pid:
            return
        with self.draining:
            for _ in range(64):
                try:
                    data = os.read(self.pipe, 65536)
                except BlockingIOError:
                    return
                self.keep(self.decoder.decode(data))

    def keep(self, text):
        if len(text) > self.left:
            self.cut = True
            text = text[: self.left]
        self.left -= len(text)
        if text:
            super().write(text)

    def write(self, string):
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        if os.getpid() != self._master_pid:
            # A fork of the kernel counts as one of its programs.
            write_all(self.fileno(), string.encode("utf-8", "replace"))
            return len(string)
        self.drain()
        self.keep(string)
        return len(string)

    def flush(self):
        if os.getpid() != self._master_pid:
            return
        self.drain()
        super().flush()

    def fileno(self):
        return 1 if self.name == "stdout" else 2

    def close(self):
        self.pub_thread = None


class Publisher(IOPubThread):
    """A publisher without the TCP port by which forks of the kernel would publish: a port in the computer would look
    like one of the user's.
    """

    def __init__(self, socket, pipe=False, **options):
        super().__init__(socket, pipe=False, **options)


kernelapp.IOPubThread = Publisher

# The kernel finds its streams by name.
module = sys.modules["carrel_kernel"] = types.ModuleType("carrel_kernel")
module.KernelStream = KernelStream


def plain_json(value):
    """Returns a list or dictionary if it consists of JSON values alone and is not large; otherwise None."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    if len(text) > 262144 or json.loads(text) != value:
        return None
    return value


def show_open_figures(*_):
    """Shows the open figures of code that chose the backend for files, as the inline backend does."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or pyplot.get_backend().lower() != "agg":
        return
    from IPython.display import display

    for figure in map(pyplot.figure, pyplot.get_fignums()):
        image = io.BytesIO()
        figure.savefig(image, format="png", bbox_inches="tight")
        data = {"image/png": base64.b64encode(image.getvalue()).decode(), "text/plain": repr(figure)}
        display(data, raw=True)
    pyplot.close("all")


def finite(value):
    """Returns a value with None in place of numbers that JSON does not have."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


# The bytes that the value of a cell may always take, however much came before it.
min_result_bytes = 65536


def head_of(data, size, left):
    """Returns as much of the text as fits; a little always does. A character can take twelve bytes."""
    text = str(data.get("text/plain", ""))[: max(left // 12, min_result_bytes)]
    return {"text/plain": f"{text}\n[Truncated here: the whole takes {size} bytes, more than a response holds]"}


class Client(threading.Thread):
    """Jupyter's client. It handles one request at a time, and sends the kernel's messages as events."""

    def __init__(self, app):
        super().__init__(daemon=True)
        self.app = app
        self.session = Session(key=b"")
        self.shell = app.context.socket(zmq.DEALER)
        self.shell.connect(f"ipc://{app.ip}-{app.shell_port}")
        self.published = app.context.socket(zmq.SUB)
        self.published.setsockopt(zmq.SUBSCRIBE, b"")
        self.published.setsockopt(zmq.RCVHWM, 0)
        self.published.connect(f"ipc://{app.ip}-{app.iopub_port}")
        self.streams = (sys.stdout, sys.stderr)
        self.running = None
        self.lines = b""
        self.leaving = None
        self.directory = os.path.dirname(app.ip)

    def run(self):
        poller = zmq.Poller()
        for source in (self.shell, self.published, requests.fileno(), *pipes.values()):
            poller.register(source, zmq.POLLIN)
        self.greet()
        while True:
            # A request on which the kernel itself fails ends without a reply.
            unanswered = self.running and self.idle and not self.replied and not self.leaving
            ready = dict(poller.poll(1000 if unanswered else None))
            if unanswered and not ready:
                self.fail("it accepted the code, but gave no answer")
            for stream in self.streams:
                if stream.pipe in ready:
                    stream.drain()
            try:
                for socket in (self.published, self.shell):
                    if socket in ready:
                        self.hear(self.session.recv(socket)[1])
                if requests.fileno() in ready and not self.read_requests():
                    poller.unregister(requests.fileno())
            except Exception as error:
                self.fail(repr(error))

    def greet(self):
        """Waits until the kernel is ready. Messages that are published before the subscription has arrived are lost,
        so it asks until an answer is published too.
        """
        while True:
            self.session.send(self.shell, "kernel_info_request")
            if self.shell.poll(1000) and self.published.poll(50):
                break
        while self.published.poll(20) or self.shell.poll(0):
            for socket in (self.published, self.shell):
                while socket.poll(0):
                    self.session.recv(socket)
        shutil.rmtree(self.directory, ignore_errors=True)
        try:
            os.rmdir(os.path.dirname(self.directory))
        except OSError:
            # The directory holds settings that had no other place.
            pass
        send(event="ready")

    def read_requests(self):
        data = os.read(requests.fileno(), 1 << 20)
        *lines, self.lines = (self.lines + data).split(b"\n")
        for line in lines:
            try:
                request = json.loads(line)
            except ValueError:
                # A server that was killed can have written half of a request.
                continue
            getattr(self, "on_" + request["op"])(request)
        return data != b""

    def on_sync(self, request):
        send(event="synced", id=request["id"], running=self.running and self.running["id"])

    def on_run(self, request):
        self.running = request
        self.results_left = request["resultBytes"]
        self.cut = self.cut_results = self.replied = self.idle = False
        self.count = self.cleared = None
        for stream in self.streams:
            stream.allow(request["streamCharacters"])
        # Replaces halves of characters, which cannot be encoded.
        code = request["code"].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content.update(allow_stdin=False, stop_on_error=False)
        self.message_id = self.session.send(self.shell, "execute_request", content)["header"]["msg_id"]

    def on_interrupt(self, request):
        """Signals the main thread, which also ends a system call in which it waits."""
        if self.running and self.running["id"] == request["id"]:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            # Code that awaits is cancelled by its event loop, which has to be woken.
            self.app.io_loop.add_callback(lambda: None)

    def hear(self, message):
        if self.running is None:
            return
        handler = getattr(self, "hear_" + message["msg_type"], None)
        if handler:
            handler(message["content"], message["parent_header"].get("msg_id") == self.message_id)
        if self.replied and self.idle:
            self.finish()

    def hear_stream(self, content, _own):
        self.cleared = None
        send(event="output", id=self.running["id"], name=content["name"], text=content["text"])

    def hear_execute_result(self, content, _own):
        self.result(content, main=True)

    def hear_display_data(self, content, _own):
        self.result(content, main=False)

    def hear_update_display_data(self, content, _own):
        self.result(content, main=False, update=True)

    def hear_clear_output(self, content, _own):
        wait = bool(content.get("wait"))
        # Code that clears in a loop, with no output in between, reports it once.
        if wait != self.cleared:
            self.cleared = wait
            send(event="clear", id=self.running["id"], wait=wait)

    def hear_error(self, content, own):
        if own:
            self.error(content)

    def hear_execute_reply(self, content, own):
        if own:
            self.replied = True
            self.count = content.get("execution_count")

    def hear_status(self, content, own):
        if own and content["execution_state"] == "idle":
            self.idle = True

    def result(self, content, main, **more):
        data = finite(content["data"])
        size = len(json.dumps(data))
        if size > self.results_left and not (main and size <= min_result_bytes):
            # Of displayed values, the first that exceeds the limit reports it for all.
            is_reported, self.cut = self.cut_results, True
            self.cut_results = True
            if is_reported and not main:
                return
            data = head_of(data, size, self.results_left)
            size = len(json.dumps(data))
        self.results_left = max(self.results_left - size, 0)
        self.cleared = None
        display_id = content.get("transient", {}).get("display_id")
        send(event="result", id=self.running["id"], data=data, main=main, displayId=display_id, **more)

    def error(self, content):
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in content["traceback"]]
        text = "\n".join(lines)
        if len(text) > 65536:
            text = text[:32768] + "\n[...]\n" + text[-32768:]
        self.cleared = None
        name, message = content["ename"], content["evalue"][:65536]
        send(event="error", id=self.running["id"], name=name, message=message, traceback=text.split("\n"))

    def fail(self, why):
        """Ends the current call with an error, when its outcome cannot be read. The kernel continues."""
        if self.running:
            message = f"The kernel cannot report the outcome of the code: {why}"
            send(event="error", id=self.running["id"], name="KernelError", message=message, traceback=[])
            self.finish()

    def finish(self):
        if self.app.kernel.shell.exit_now:
            # The kernel is about to end, and its call with it. Threads of the user's code are not waited for.
            if not self.leaving:
                self.leaving = threading.Timer(2, os._exit, [0])
                self.leaving.daemon = True
                self.leaving.start()
            return
        request, self.running = self.running, None
        cut = self.cut or any(stream.cut for stream in self.streams)
        for stream in self.streams:
            stream.allow(0)
        send(event="done", id=request["id"], count=self.count, truncated=cut)
        os.write(marks, b"\x1e" + request["id"].encode() + b"\n")


def can_write(directory):
    """Returns whether a directory can be written; False also when the disk is full."""
    try:
        os.makedirs(directory, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(4096))
        return True
    except OSError:
        return False


def main():
    """Runs the kernel. Its sockets are in a directory that no other user can enter to send a message, so no message
    has to be signed.
    """
    # In memory where possible, as the disk may be full.
    memory = "/dev/shm" if can_write("/dev/shm") else None
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # Names of cells are made from it.
        tempfile.tempdir = memory
    directory = tempfile.mkdtemp(prefix="carrel-kernel-", dir=memory)
    try:
        sockets = os.path.join(directory, "sockets")
        os.mkdir(sockets)
        settings = os.environ.get("IPYTHONDIR")
        # IPython does not start where it cannot write its settings.
        if not can_write(settings or os.path.expanduser("~/.ipython")):
            os.environ["IPYTHONDIR"] = directory
        app = initialized(sockets)
        os.environ.pop("IPYTHONDIR", None)
        if settings is not None:
            os.environ["IPYTHONDIR"] = settings
        Client(app).start()
        app.start()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def initialized(directory):
    config = Config()
    config.IPKernelApp.update(
        transport="ipc",
        ip=os.path.join(directory, "socket"),
        connection_file=os.path.join(directory, "connection.json"),
        outstream_class="carrel_kernel.KernelStream",
    )
    config.Session.key = b""
    config.InteractiveShell.colors = "NoColor"
    config.HistoryManager.enabled = False
    app = kernelapp.IPKernelApp.instance(config=config)
    app.initialize([])
    shell = app.kernel.shell
    as_json = shell.display_formatter.formatters["application/json"]
    for kind in (dict, list):
        as_json.for_type(kind, plain_json)
    shell.events.register("post_execute", show_open_figures)
    if "" not in sys.path:
        sys.path.insert(0, "")
    sys.argv = [""]
    return app


try:
    main()
except BaseException:
    # Nothing else reads the outputs any more.
    os.write(2, traceback.format_exc().encode())
    write_all(marks, os.read(pipes["stderr"], 65536))
    raise
