#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: rings.py session | login: on a host with KVM, `nohype console` at a sealed VM of that name, with a shell or with a
login; prints what is found, a line each."""

import os
import select
import subprocess
import sys
import time

NOHYPE = os.environ["NOHYPE"]
PATIENCE = 120  # seconds


class Console:
    def __init__(self, name):
        self.fd, slave = os.openpty()
        self.seen = b""
        self.process = subprocess.Popen([NOHYPE, "console", name], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=lambda: os.login_tty(os.dup(0)))
        os.close(slave)

    def expect(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 1)[0]:
                self.seen += os.read(self.fd, 65536)
        if text not in self.seen:
            raise SystemExit(f"not printed: {text}; found: {self.seen[-2000:]}")

    def type(self, text):
        self.seen = b""
        os.write(self.fd, text)


def session(console):
    console.type(b"\r")
    console.expect(b"# ")
    console.type(b"echo $((6 * 7))_$(uname -s)\r")
    console.expect(b"42_Linux")
    print("command answered", flush=True)
    console.type(b"stty size; tty\r")
    console.expect(b"/dev/pts/0")
    print("terminal answered", flush=True)
    console.type(b"seq 1 20000 | tail -n 1; echo sum_$(seq 1 5000 | wc -l)\r")
    console.expect(b"sum_5000")
    print("work answered", flush=True)
    console.type(b"echo asleep_$((1 + 1)); sleep 1000\r")
    console.expect(b"asleep_2")
    time.sleep(2)
    console.type(b"\x03")
    console.type(b"echo inter_$((1 + 1))\r")
    console.expect(b"inter_2")
    print("interrupt answered", flush=True)


def login(console):
    """With a wrong password first."""
    for password in (b"open\r", b"sealed\r"):
        console.expect(b"login: ")
        console.type(b"tenant\r")
        console.expect(b"Password: ")
        console.type(password)
        if password == b"open\r":
            console.expect(b"Login incorrect")
            print("refused", flush=True)
    console.expect(b"$ ")
    print("logged in", flush=True)
    console.type(b"echo user_$(/glibc/busybox id -un)_$(id -u)\r")
    console.expect(b"user_tenant_1000")
    print("command answered", flush=True)


def main(name):
    console = Console(name)
    console.expect(b"Ctrl-A x leaves it")
    if name == "login":
        console.type(b"\r")
    {"session": session, "login": login}[name](console)
    console.type(b"\x01x")
    print("left", console.process.wait(PATIENCE), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
