#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
usage: kill.py supervisor | core | both | signals | inside: on an emulated host, as root; prints what it finds.

supervisor, core, both
         kills that process, or both, at ten moments of a boot, and says what is left
signals  ends them by signals that dump core, with a program behind core_pattern that would get it
inside   looks from outside at a VM that runs: what its two processes have, and may do
"""

import contextlib
import os
import signal
import subprocess
import sys
import time

import leftovers

NOHYPE = os.environ["NOHYPE"]
BUILD = os.environ["BUILD"]
PATIENCE = 120  # seconds; an emulated host on a busy machine is slow
OUTPUT = f"{os.environ['OUT']}/{sys.argv[1]}.guest"
MESSAGES = f"{os.environ['OUT']}/{sys.argv[1]}.nohype"
CORES = "/tmp/cores"


def wait_for(what, condition):
    """What condition() returns, as soon as that is anything."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.002)
    raise SystemExit(f"not within {PATIENCE} s: {what}")


class VM:
    """`nohype run`, and what its processes are."""

    def __init__(self, *args):
        self.output = open(OUTPUT, "wb")
        self.messages = open(MESSAGES, "w+", encoding="utf-8")
        self.process = subprocess.Popen([NOHYPE, "run", *args], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.messages)
        self.supervisor = self.process.pid
        self.core = None

    def status(self, name):
        with contextlib.suppress(OSError):
            for line in leftovers.read(f"/proc/{self.core}/status").splitlines():
                if line.startswith(name + ":"):
                    return line.split()[1]
        return None

    def find_core(self):
        """The child that has a session of its own; what fills the memory before it has not."""
        self.core = None
        for child in leftovers.read(f"/proc/{self.supervisor}/task/{self.supervisor}/children").split():
            with contextlib.suppress(OSError):
                session = leftovers.read(f"/proc/{child}/stat").rpartition(")")[2].split()[3]
                if session == child:
                    self.core = int(child)
        return self.core

    def is_executed(self):
        with contextlib.suppress(OSError):
            return self.find_core() and os.readlink(f"/proc/{self.core}/exe").endswith("/nohype-core")
        return False

    def printed(self, text=b"\n"):
        with open(OUTPUT, "rb") as file:
            return text in file.read()

    def wait(self):
        """The exit code, and the last line."""
        code = self.process.wait(PATIENCE)
        self.messages.seek(0)
        return code, (self.messages.read().splitlines() or [""])[-1]


def stock_guest():
    """Its pages are huge ones, so that they can be counted. It says little: each character takes it two exits."""
    return VM("-k", f"{BUILD}/guests/kernel-6.12/vmlinux", "-i", f"{BUILD}/guests/initramfs.cpio", "-m", "128M",
              "--page-size", "2M", "-a", "console=ttyS0 loglevel=6 cryptomgr.notests=1 nohype.do=shell")


def small_guest(*args):
    vm = VM("-k", f"{BUILD}/e2e-guests/busy", "-m", "64M", *args)
    wait_for("the guest's word", vm.printed)
    vm.find_core()
    return vm


def pages_taken():
    return leftovers.read(f"{leftovers.HUGEPAGES}/hugepages-2048kB/free_hugepages") != "64\n"


def after(vm, text, seconds):
    wait_for(text, lambda: vm.printed(text))
    vm.find_core()
    time.sleep(seconds)


# In the order of a boot. At the first two there is no core manager.
MOMENTS = (
    ("started", lambda vm: None),
    ("memory", lambda vm: wait_for("huge pages", pages_taken)),
    ("forked", lambda vm: wait_for("a child", vm.find_core)),
    ("executed", lambda vm: wait_for("the core manager", vm.is_executed)),
    ("jailed", lambda vm: wait_for("its uid", lambda: vm.find_core() and vm.status("Uid") not in (None, "0"))),
    ("filtered", lambda vm: wait_for("its filter", lambda: vm.find_core() and vm.status("Seccomp") == "2")),
    ("first word", lambda vm: after(vm, b"Linux version", 0)),
    ("first driver", lambda vm: after(vm, b"audit: type=", 1)),
    ("program", lambda vm: after(vm, b"Welcome", 0)),
    ("shell", lambda vm: after(vm, b"guest# ", 1)),
)

def kill(vm, target):
    """Both: one right after the other, either way round."""
    order = {"supervisor": [vm.supervisor], "core": [vm.core], "both": [vm.supervisor, vm.core]}[target]
    for pid in order if int(time.monotonic() * 1000) % 2 else order[::-1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def settle(before):
    """What is still left after a while in which all should have gone."""
    for _ in range(5 * PATIENCE):
        lines = leftovers.differences(before, leftovers.snapshot())
        if not lines:
            break
        time.sleep(0.2)
    return lines


def moments(target):
    before = leftovers.snapshot()
    for name, reached in MOMENTS:
        vm = stock_guest()
        reached(vm)
        kill(vm, target if vm.core else "supervisor")
        code, last = vm.wait()
        left = settle(before)
        print(f"{name}|{target if vm.core else 'no core manager'}|{code}|{last}|{'; '.join(left)}", flush=True)


def cores_dumped():
    return sorted(os.listdir(CORES))


def signals():
    os.mkdir(CORES)
    with open("/proc/sys/kernel/core_pattern", "w", encoding="utf-8") as file:
        file.write(f"|/bin/dd of={CORES}/%p status=none")
    # That the program would be run, and how: a process of no interest.
    victim = subprocess.Popen(["sleep", "100"])
    victim.send_signal(signal.SIGSEGV)
    victim.wait()
    wait_for("a core file", lambda: cores_dumped() == [str(victim.pid)])
    print(f"dumped|control|{len(cores_dumped())}")
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS, signal.SIGQUIT):
        for target in ("core", "supervisor"):
            vm = small_guest("--page-size", "2M")
            os.kill(vm.core if target == "core" else vm.supervisor, number)
            code, last = vm.wait()
            time.sleep(0.3)
            print(f"dumped|{number.name} {target}|{len(cores_dumped()) - 1}|{code}|{last}", flush=True)


def status_lines(pid, tid):
    wanted = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn",
              "NSpid", "TracerPid", "Cpus_allowed_list")
    for line in leftovers.read(f"/proc/{pid}/task/{tid}/status").splitlines():
        name, _, value = line.partition(":")
        if name in wanted:
            yield name, " ".join(value.split())


# KVM has a thread of its own in whoever made a VM, for splitting huge pages: it never runs anything of the process'.
def report_threads(vm):
    for tid in sorted(int(name) for name in os.listdir(f"/proc/{vm.core}/task")):
        name = leftovers.read(f"/proc/{vm.core}/task/{tid}/comm").strip()
        kind = "main" if tid == vm.core else "kernel" if name.startswith("kvm-") else "vcpu"
        for name, value in status_lines(vm.core, tid):
            print(f"thread|{kind}|{name}|{value}")


def fds(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{fd}")
        found.append(target.partition(":[")[0] if target.startswith(("socket", "pipe")) else target)
    return sorted(found)


def guest_mappings(pid):
    return [line for line in leftovers.read(f"/proc/{pid}/maps").splitlines() if "nohype-guest" in line]


def flags_of_guest_mapping(pid):
    lines = leftovers.read(f"/proc/{pid}/smaps").splitlines()
    start = next(i for i, line in enumerate(lines) if "nohype-guest" in line)
    return next(line for line in lines[start:] if line.startswith("VmFlags:"))


def inside():
    vm = small_guest("-c", "2", "--cores", "1,0")
    report_threads(vm)
    for kind in ("mnt", "net", "ipc", "uts", "cgroup", "pid", "user"):
        own = os.readlink(f"/proc/{vm.core}/ns/{kind}") != os.readlink(f"/proc/self/ns/{kind}")
        print(f"namespace|{kind}|{'own' if own else 'shared'}")
    for line in leftovers.read(f"/proc/{vm.core}/mountinfo").splitlines():
        print(f"mount|{line}")
    print(f"root|{os.listdir(f'/proc/{vm.core}/root')}|{os.listdir(f'/proc/{vm.core}/cwd')}")
    print(f"network|{leftovers.read(f'/proc/{vm.core}/net/dev').count(':')}")
    print(f"environment|{leftovers.read(f'/proc/{vm.core}/environ')!r}")
    core_limit = next(line for line in leftovers.read(f"/proc/{vm.core}/limits").splitlines() if "core file" in line)
    print(f"limit|{' '.join(core_limit.split())}")
    for fd in fds(vm.core):
        print(f"fd|core|{fd}")
    for fd in fds(vm.supervisor):
        print(f"fd|supervisor|{fd}")
    # Of a process that isn't dumpable, root owns what is in /proc.
    for who, pid in (("core", vm.core), ("supervisor", vm.supervisor)):
        print(f"dumpable|{who}|{os.stat(f'/proc/{pid}/environ').st_uid}")
        print(f"mapped|{who}|{len(guest_mappings(pid))}")
    print(f"flags|{flags_of_guest_mapping(vm.core)}")
    session = os.getsid(vm.core)
    print(f"session|{'own' if session == vm.core else session}")
    os.kill(vm.supervisor, signal.SIGTERM)
    vm.wait()


if __name__ == "__main__":
    if sys.argv[1] in ("supervisor", "core", "both"):
        moments(sys.argv[1])
    else:
        {"signals": signals, "inside": inside}[sys.argv[1]]()
