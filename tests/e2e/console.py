#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: console.py: on a host with KVM, VMs at terminals that tests hold; prints what is found, a line each."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import time

import leftovers

NOHYPE = os.environ["NOHYPE"]
BUILD = os.environ["BUILD"]
OUT = os.environ["OUT"]
PATIENCE = 150  # seconds; an emulated host on a busy machine is slow
SMALL = ("-m", "64M", "--page-size", "2M", "-k", f"{BUILD}/e2e-guests/")
STOCK = ("-m", "128M", "--page-size", "2M", "-k", f"{BUILD}/guests/kernel-6.12/vmlinux",
         "-i", f"{BUILD}/guests/initramfs.cpio", "-a", "console=ttyS0 quiet nohype.do=shell")


def small(guest):
    return (*SMALL[:-1], SMALL[-1] + guest)


def say(*words):
    print("|".join(str(word) for word in words), flush=True)


class Terminal:
    """A VM whose standard input, output and controlling terminal is a pty; its messages go to a file."""

    def __init__(self, name, args, background=False):
        self.name = name
        self.before = leftovers.snapshot()
        self.seen = b""
        self.fd, self.slave = os.openpty()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.fd)
            os.login_tty(self.slave)
            self.run(args, background)
        self.settings = None

    def run(self, args, background):
        """In the child. In the background: a process group that isn't the terminal's."""
        messages = os.open(f"{OUT}/{self.name}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(messages, 2)
        if background:
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                os._exit(99)
            os.setpgid(0, 0)
        os.write(1, b"?")  # no VM yet: the terminal's settings can be looked at
        os.read(0, 1) if not background else time.sleep(1)
        os.execv(NOHYPE, [NOHYPE, "run", *args])

    def start(self):
        self.expect(b"?")
        self.settings = termios.tcgetattr(self.slave)
        os.write(self.fd, b"\n")
        return self

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self.seen += os.read(self.fd, 65536)

    def expect(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.seen and time.monotonic() < end:
            self.read(1)
        if text not in self.seen:
            raise SystemExit(f"{self.name}: not printed: {text}; found: {self.seen[-2000:]}")

    def type(self, text):
        self.seen = b""
        os.write(self.fd, text)

    def say_mode(self, when):
        """The bits that raw mode is about, by what is on."""
        iflag, oflag, _, lflag = termios.tcgetattr(self.slave)[:4]
        on = [name for flag, name in ((lflag & termios.ECHO, "echo"), (lflag & termios.ICANON, "lines"),
                                      (lflag & termios.ISIG, "signals"), (iflag & termios.ICRNL, "cr"),
                                      (oflag & termios.OPOST, "output")) if flag]
        say(self.name, when, " ".join(on))

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.settings

    def wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            self.read(0.1) if self.fd >= 0 else time.sleep(0.1)
        raise SystemExit(f"{self.name}: has not ended")

    def end(self):
        """Its end, and what is left: of a supervisor that was killed, another process cleans up in a moment."""
        say(self.name, "exit", self.wait())
        for _ in range(5 * PATIENCE):
            left = leftovers.differences(self.before, leftovers.snapshot())
            restored = self.fd < 0 or self.is_restored()
            # The terminal's own two ends are this process's.
            left = [line for line in left if "/dev/pts/" not in line]
            if restored and not left:
                break
            time.sleep(0.2)
        say(self.name, "restored", restored)
        say(self.name, "left", "; ".join(left))
        os.close(self.slave) if self.slave >= 0 else None
        os.close(self.fd) if self.fd >= 0 else None


def shell():
    terminal = Terminal("shell", STOCK).start()
    terminal.expect(b"guest# ")
    terminal.say_mode("mode")
    terminal.type(b"echo $((6 * 7))_$(uname -s)\r")
    terminal.expect(b"42_Linux")
    # What would end nohype anywhere else is the guest's.
    terminal.type(b"echo asleep_$((1 + 1)); sleep 1000\r")
    terminal.expect(b"asleep_2")
    time.sleep(1)
    terminal.type(b"\x03")
    terminal.type(b"echo still_$((1 + 1))\r")
    terminal.expect(b"still_2")
    say("shell", "typed", "answered")
    terminal.type(b"\x01x")
    terminal.end()


def escape():
    terminal = Terminal("escape", small("echo")).start()
    terminal.expect(b"up")
    for typed, answer in ((b"A", b"41"), (b"\x03", b"03"), (b"\x1a", b"1:"), (b"\x01\x01", b"01"), (b"\x01b", b"62"),
                          (b"x", b"78"), (b"\r", b"0=")):
        terminal.type(typed)
        terminal.expect(answer)
        time.sleep(0.3)
        terminal.read(0)
        say("escape", typed.hex(), " ".join(terminal.seen.decode().split()))
    terminal.type(b"\x01x")
    terminal.end()


def guest_end():
    terminal = Terminal("guest-end", small("power-off")).start()
    terminal.end()


def killed(name, number):
    terminal = Terminal(name, small("busy")).start()
    terminal.expect(b"up")
    terminal.say_mode("mode")
    os.kill(terminal.pid, number)
    terminal.end()


def gone():
    """The terminal itself goes away, as when its window is closed."""
    terminal = Terminal("gone", small("busy")).start()
    terminal.expect(b"up")
    os.close(terminal.slave)
    os.close(terminal.fd)
    terminal.slave = terminal.fd = -1
    terminal.end()


def state(pid):
    return leftovers.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0]


def background():
    """A terminal that others read from: its settings stay, and what is typed is theirs."""
    terminal = Terminal("background", small("busy"), background=True)
    terminal.expect(b"?")
    terminal.settings = termios.tcgetattr(terminal.slave)
    terminal.expect(b"up")
    supervisor = int(leftovers.read(f"/proc/{terminal.pid}/task/{terminal.pid}/children").split()[0])
    terminal.say_mode("mode")
    terminal.type(b"typed\r")
    states = set()
    for _ in range(15):
        time.sleep(0.1)
        states.add(state(supervisor))
    say("background", "state", "stopped" if "T" in states else "goes on")
    os.kill(supervisor, signal.SIGTERM)
    os.kill(supervisor, signal.SIGCONT)
    terminal.end()


def input_file():
    """Every byte of a file reaches the guest, once and in order; its end doesn't end the VM."""
    data = bytes(range(256)) * 4
    with open(f"{OUT}/input", "wb") as file:
        file.write(data)
    answers = "".join(f"{chr(48 + byte // 16)}{chr(48 + byte % 16)}\n" for byte in data)
    with open(f"{OUT}/input", "rb") as stdin, open(f"{OUT}/input.out", "wb") as stdout, \
            open(f"{OUT}/input.err", "wb") as stderr:
        process = subprocess.Popen([NOHYPE, "run", *small("echo")], stdin=stdin, stdout=stdout, stderr=stderr)
        end = time.monotonic() + PATIENCE
        found = ""
        while len(found) < len(answers) + 3 and time.monotonic() < end:
            time.sleep(0.2)
            with open(f"{OUT}/input.out", encoding="latin1") as file:
                found = file.read()
        time.sleep(1)
        say("input", "alive", process.poll() is None)
        process.terminate()
        say("input", "exit", process.wait(PATIENCE))
    say("input", "same", found == "up\n" + answers)


def reader_gone(name, stdout):
    before = leftovers.snapshot()
    with open(f"{OUT}/{name}.err", "wb") as stderr:
        process = subprocess.Popen([NOHYPE, "run", *small("flood")], stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=stderr)
        if stdout == subprocess.PIPE:
            say(name, "first line", process.stdout.readline().decode().strip())
            process.stdout.close()
        say(name, "exit", process.wait(PATIENCE))
    say(name, "left", "; ".join(leftovers.differences(before, leftovers.snapshot())))


def reader_slow():
    """Who doesn't read keeps the guest waiting, and no one else: a signal still ends it."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, 1031, 4096)  # F_SETPIPE_SZ
    with open(f"{OUT}/slow.err", "wb") as stderr:
        process = subprocess.Popen([NOHYPE, "run", *small("flood")], stdin=subprocess.DEVNULL, stdout=writing,
                                   stderr=stderr)
    os.close(writing)
    end = time.monotonic() + PATIENCE
    while not select.select([reading], [], [], 1)[0] and time.monotonic() < end:
        pass
    time.sleep(2)  # by when there is no more room in it
    say("slow", "alive", process.poll() is None)
    process.terminate()
    say("slow", "exit", process.wait(PATIENCE))
    os.close(reading)


def main():
    escape()
    guest_end()
    killed("sigterm", signal.SIGTERM)
    killed("sigint", signal.SIGINT)
    killed("sigkill", signal.SIGKILL)
    killed("sigsegv", signal.SIGSEGV)
    gone()
    background()
    input_file()
    reader_gone("pipe", subprocess.PIPE)
    with open("/dev/full", "wb") as full:
        reader_gone("full", full)
    reader_slow()
    shell()


if __name__ == "__main__":
    main()
