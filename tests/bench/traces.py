# SPDX-License-Identifier: GPL-2.0-only
"""The host kernel's own trace points, read the same way for every VMM: exits by reason, when a guest came how far."""

import glob
import os
import re
import select
import time

TRACEFS = "/sys/kernel/tracing"

# tests/bench/guest.c: there, and where its page is; ready (devices/ports.h: PORT_SEAL).
MARK_INIT = 0x7e0
MARK_READY = 0x600

ENTRIES_KIB = 64

EXIT_TRIGGER = "events/kvm/kvm_exit/trigger"
# SVM: a write of the EOI register (vmm/x86/reasons.c, eoi_filter).
EOI = "exit_reason == 0x400 && info2 == 0xfee000b0 && info1 & 2"


class Instance:
    """A trace of its own."""

    def __init__(self, name):
        self.folder = os.path.join(TRACEFS, "instances", name)
        os.mkdir(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        """Not truncated: a file of triggers would lose those that it has."""
        fd = os.open(self.path(name), os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def empty(self):
        with open(self.path("trace"), "w", encoding="ascii"):
            pass


def parse_hist(text):
    """By the field that a trigger counts by: {value: hits}."""
    found = {}
    for part in text.split("# trigger info: hist:keys=")[1:]:
        field = re.match(r"\w+", part)[0]
        found[field] = {int(value): int(hits) for value, hits in
                        re.findall(r"\{ *\w+: *(\d+) *\} hitcount: *(\d+)", part)}
    return found


class Exits(Instance):
    """Counts of kvm_exit by reason, of all VMs of this host; and those that write EOI, which are among them."""

    def __init__(self):
        super().__init__("bench-exits")
        self.write(EXIT_TRIGGER, "hist:keys=exit_reason")
        self.write(EXIT_TRIGGER, f"hist:keys=vcpu_id if {EOI}")
        self.before = None

    def empty(self):
        """The counters go on; this is where a VMM's begin."""
        self.before = self.counts()

    def counts(self):
        found = parse_hist(self.read("events/kvm/kvm_exit/hist"))
        return {"time": time.monotonic(), "reasons": found["exit_reason"], "eoi": sum(found["vcpu_id"].values()),
                "kvm": kvm_exits()}


def kvm_exits():
    """KVM's own counter of the same, of all VMs of this host: debugfs has a folder for each."""
    total = 0
    for path in glob.glob("/sys/kernel/debug/kvm/*/exits"):
        with open(path, encoding="ascii") as file:
            total += int(file.read())
    return total


def parse_event(line):
    """(pid, nanoseconds, rest) of a line such as ` nohype-core-235 [001] .....  23.484198: kvm_pio: pio_write ...`."""
    match = re.match(r"\s*.*-(\d+)\s+\[\d+\]\s+\S+\s+(\d+)\.(\d{6}): (.*)", line)
    return (int(match[1]), int(match[2] + match[3]) * 1000, match[4]) if match else None


class Marks(Instance):
    """The guest's writes to its two ports, and what was noted on the host's side between."""

    def __init__(self):
        super().__init__("bench-marks")
        self.write("trace_clock", "mono")
        self.write("buffer_percent", "0")  # how full it must be to wake its reader
        self.write("events/kvm/kvm_pio/filter", f"port == {MARK_INIT} || port == {MARK_READY}")
        self.write("events/kvm/kvm_pio/enable", "1")
        self.pipe = os.open(self.path("trace_pipe"), os.O_RDONLY | os.O_NONBLOCK)
        self.seen = []

    def empty(self):
        super().empty()
        self.seen = []

    def find(self, text):
        """(pid, nanoseconds) of the first event seen that says so; None if there is none."""
        return next(((pid, ns) for pid, ns, words in self.seen if text in words), None)

    def page_number(self):
        """That the guest said by its one OUT of four bytes; None if it said none."""
        pattern = rf".*pio_write at {MARK_INIT:#x} size 4 count 1 val (0x\w+)"
        said = (re.match(pattern, words) for _, _, words in self.seen)
        return next((int(match[1], 16) for match in said if match), None)

    def wait(self, port, seconds, alive):
        """The same for the guest's write to this port, waited for. Asleep until then: with an instruction clock,
        looking is time."""
        latest = time.monotonic() + seconds
        wanted = f"pio_write at {port:#x} "
        while not self.find(wanted) and alive() and time.monotonic() < latest:
            if select.select([self.pipe], [], [], 5)[0]:
                lines = os.read(self.pipe, 1 << 16).decode(errors="replace").splitlines()
                self.seen += [event for event in map(parse_event, lines) if event]
        return self.find(wanted)


class Entries(Instance):
    """The first entries into guests: the buffer is small, and keeps what came first."""

    def __init__(self):
        super().__init__("bench-entries")
        self.write("trace_clock", "mono")
        self.write("buffer_size_kb", str(ENTRIES_KIB))
        self.write("options/overwrite", "0")
        self.write("events/kvm/kvm_entry/enable", "1")

    def first(self, pid):
        """Nanoseconds of this thread's first."""
        for line in self.read("trace").splitlines():
            event = parse_event(line)
            if event and event[0] == pid and event[2].startswith("kvm_entry"):
                return event[1]
        return None
