# SPDX-License-Identifier: GPL-2.0-only
"""One run: starts the emulated host, passes COMMAND's output on as it comes, and ends it all, however it ends."""

import contextlib
import fcntl
import functools
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

import host

BOOT_SECONDS = 300
LOGS_KEPT = 100  # more than a check has hosts: that of a failure in its middle is wanted at its end
CHUNK = 1 << 16
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class End(Exception):
    """The run is over, with this exit status."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


def fail(message):
    print(f"rig: {message}", file=sys.stderr)
    raise SystemExit(125)


def write_all(fd, data):
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [])


def end_on_signals(timeout):
    """Raised from the handlers, so that a write to a reader that doesn't read ends too."""
    def on_signal(number, _frame):
        raise End(128 + number)

    def on_alarm(_number, _frame):
        print(f"rig: ended after {timeout:g} seconds (--timeout)", file=sys.stderr)
        raise End(124)
    for number in ENDING:
        signal.signal(number, on_alarm if number == signal.SIGALRM else on_signal)
    if timeout:
        signal.setitimer(signal.ITIMER_REAL, timeout)


def new_log():
    """One a run; the last few are kept."""
    folder = os.path.join(host.BUILD, "rig", "log")
    os.makedirs(folder, exist_ok=True)
    for old in sorted(os.listdir(folder))[:-LOGS_KEPT]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, old))
    return os.path.join(folder, time.strftime("%Y%m%d-%H%M%S-") + str(os.getpid()))


@contextlib.contextmanager
def locked(path):
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_leftovers(above):
    """Folders of runs that were killed: their locks are free."""
    for name in os.listdir(above):
        if not name.startswith("run."):
            continue
        with contextlib.suppress(OSError), open(os.path.join(above, name, "lock"), encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(os.path.join(above, name), ignore_errors=True)


@contextlib.contextmanager
def own_folder():
    """This run's own, locked as long as this process lives."""
    above = os.path.join(host.BUILD, "rig")
    os.makedirs(above, exist_ok=True)
    with locked(os.path.join(above, "lock")):
        remove_leftovers(above)
        folder = tempfile.mkdtemp(prefix="run.", dir=above)
        lock = open(os.path.join(folder, "lock"), "w", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()


class Run:
    def __init__(self, options, folder):
        self.options = options
        self.log = new_log()
        names = ["control"] + (["terminal"] if options.shell else ["out", "err"])
        pairs = {name: socket.socketpair() for name in names}
        self.ours = {name: pair[0] for name, pair in pairs.items()}
        theirs = {name: pair[1] for name, pair in pairs.items()}
        self.words = open(os.path.join(folder, "qemu"), "w+", errors="replace", encoding="utf-8")
        args = host.command_line(options, folder, self.log, theirs)
        # QEMU dies with this process even if that is killed. Of its own session: Ctrl-C is for this process.
        self.qemu = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--"] + args, stdin=subprocess.DEVNULL, stdout=self.words,
            stderr=self.words, env=host.environment(options), pass_fds=[end.fileno() for end in theirs.values()],
            start_new_session=True)
        for end in theirs.values():
            end.close()
        self.selector = selectors.DefaultSelector()
        self.got = {"out": 0, "err": 0}
        self.sent = None
        self.status = None
        self.messages = b""
        self.ready = False

    def kill(self):
        self.qemu.kill()
        self.qemu.wait()

    def died(self):
        """QEMU ended before COMMAND did: say why, as far as can be seen."""
        self.qemu.wait()
        self.words.seek(0)
        words = self.words.read().strip()
        with contextlib.suppress(FileNotFoundError), open(self.log, errors="replace", encoding="utf-8") as log:
            for line in log:
                if "Kernel panic" in line:
                    fail(f"the emulated host's kernel: {line.strip()}; its log: {self.log}")
        if words:
            fail(f"QEMU ended: {words}")
        fail(f"the emulated host ended before COMMAND did; its log: {self.log}")

    def control(self, data):
        """Lines from run-command: "ready", "exit STATUS OUT ERR" with the bytes it sent, "error TEXT"."""
        self.messages += data
        while b"\n" in self.messages:
            line, self.messages = self.messages.split(b"\n", 1)
            kind, _, rest = line.decode(errors="replace").partition(" ")
            if kind == "ready":
                self.ready = True
            elif kind == "error":
                fail(f"{rest}; the emulated host's log: {self.log}")
            elif kind == "exit":
                status, out, err = rest.split(" ")
                self.status = int(status)
                self.sent = {"out": int(out), "err": int(err)}

    def read(self, name):
        data = self.ours[name].recv(CHUNK)
        if not data:
            self.died()
        if name == "control":
            self.control(data)
        elif name == "terminal":
            write_all(1, data)
        else:
            self.got[name] += len(data)
            write_all(1 if name == "out" else 2, data)

    def type(self):
        """Our terminal's keys go to COMMAND's."""
        data = os.read(0, CHUNK)
        if not data:
            raise End(128 + signal.SIGHUP)
        self.ours["terminal"].sendall(data)

    def drain_terminal(self):
        if "terminal" in self.ours:
            self.ours["terminal"].setblocking(False)
            with contextlib.suppress(BlockingIOError):
                write_all(1, self.ours["terminal"].recv(1 << 20))

    def watch(self):
        for name, end in self.ours.items():
            self.selector.register(end, selectors.EVENT_READ, functools.partial(self.read, name))
        if self.options.shell:
            self.selector.register(0, selectors.EVENT_READ, self.type)
        latest = time.monotonic() + BOOT_SECONDS
        while self.sent is None or any(self.got[name] < self.sent[name] for name in self.got):
            for key, _ in self.selector.select(None if self.ready else 1):
                key.data()
            if not self.ready and time.monotonic() > latest:
                fail(f"the emulated host wasn't up after {BOOT_SECONDS} seconds; its log: {self.log}")
        self.drain_terminal()
        return self.status


@contextlib.contextmanager
def raw_terminal(wanted):
    if not wanted:
        yield
        return
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def ignore_signals():
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def run_in(folder, options):
    this = None
    try:
        this = Run(options, folder)
        with raw_terminal(options.shell):
            return this.watch()
    finally:
        ignore_signals()
        if this:
            this.kill()


def run(options):
    try:
        end_on_signals(options.timeout)
        with own_folder() as folder:
            return run_in(folder, options)
    except End as end:
        return end.status
    except BrokenPipeError:
        # As a program that SIGPIPE ends, with no message: whoever read our output has gone.
        return 128 + signal.SIGPIPE
