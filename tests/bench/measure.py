#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs on the host with KVM: each VMM once, one after the other, and what was seen of it as JSON.

usage: measure.py exits|instructions SECONDS FILES.json OUTPUT.json [VMM...]
"""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import page  # noqa: E402
import processes  # noqa: E402
import traces  # noqa: E402
import vmms  # noqa: E402

SIZE = vmms.MEMORY_MIB << 20
BOOT_SECONDS = 90         # on a busy machine; 5 to 20 else
BOOT_SECONDS_ICOUNT = 15  # of the host's clock, which is instructions: 2 to 4 are wanted
SETTLE = 0.5  # seconds, from a phase's start to where counting starts
SPARE = 0.5   # and from where it ends to the phase's end

# The shell notes the time in the trace just before it becomes the VMM.
LAUNCH = 'echo launch >"$0" && exec "$@"'


class Failed(Exception):
    """This VMM didn't do what was to be measured."""


class Running:
    """A VMM from its start to its end."""

    def __init__(self, vmm, options, marks):
        self.vmm = vmm
        self.marks = marks
        self.folder = tempfile.mkdtemp(prefix="bench.")
        self.console = os.path.join(self.folder, "console")
        self.command = vmm.command(options.files, self.folder, options.seconds, options.cmdline)
        marks.empty()
        with open(self.console, "wb") as console:
            self.process = subprocess.Popen(["sh", "-c", LAUNCH, marks.path("trace_marker"), *self.command],
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)

    def alive(self):
        return self.process.poll() is None

    def failed(self, what):
        with open(self.console, encoding="utf-8", errors="replace") as console:
            words = console.read().strip().splitlines()[-5:]
        status = self.process.poll()
        ended = "" if status is None else f"; it ended with exit code {status}"
        return Failed(f"{what}{ended}; its last words: {' | '.join(words) or '(none)'}")

    def wait(self, mark, seconds, what):
        found = self.marks.wait(mark, seconds, self.alive)
        if not found:
            raise self.failed(f"the guest wasn't {what} after {seconds} s")
        return found

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def difference(before, after):
    reasons = {key: count - before["reasons"].get(key, 0) for key, count in after["reasons"].items()}
    return {"seconds": after["time"] - before["time"], "eoi": after["eoi"] - before["eoi"],
            "kvm": after["kvm"] - before["kvm"], "reasons": {key: count for key, count in reasons.items() if count}}


def wait_for_phase(running, guest, phase, seconds):
    latest = time.monotonic() + seconds
    while guest.phase() != phase:
        if not running.alive() or time.monotonic() > latest:
            raise running.failed(f'the guest is at "{guest.phase()}", not at "{phase}"')
        time.sleep(0.05)


def measure_phase(running, guest, phase, options, exits):
    """Two looks at the counters while the guest is at one kind of work."""
    wait_for_phase(running, guest, phase, 2 * options.seconds + 10)
    time.sleep(SETTLE)
    before, work = exits.counts(), guest.record(phase)["work"]
    time.sleep(options.seconds - SETTLE - SPARE)
    after, worked = exits.counts(), guest.record(phase)["work"]
    if not running.alive() or guest.phase() != phase:
        raise running.failed(f'the guest was at "{guest.phase()}" when "{phase}" had been counted')
    return dict(agreed(running, difference(before, after)), work=worked - work)


def agreed(running, counted):
    """Trace and KVM's own counter are read one after the other, so they may differ by what came between."""
    traced = sum(counted["reasons"].values())
    if abs(traced - counted["kvm"]) > 20 + traced / 50:
        raise running.failed(f"{traced} exits by the trace point, {counted['kvm']} by KVM's own counter")
    return counted


def guest_page(running):
    memory = page.guest_memory(processes.tree(running.process.pid), SIZE)
    number = running.marks.page_number()
    if not memory or number is None:
        raise running.failed("no memfd of the guest's" if number else "the guest didn't say where its page is")
    try:
        return page.GuestPage(memory, number)
    except ValueError as error:
        raise running.failed(str(error)) from error


def tick_rate(record):
    """By the guest's own clock and counter."""
    return (record["end_ticks"] - record["start_ticks"]) / (record["end_ns"] - record["start_ns"]) * 1e9


def measure_work(running, options, exits, result):
    running.wait(traces.MARK_READY, BOOT_SECONDS, "ready")
    result["boot"] = difference(exits.before, exits.counts())
    if running.vmm.qemu:
        processes.pin_vcpu(running.process.pid, vmms.CORE)
    guest = guest_page(running)
    result["phases"] = {}
    for phase in page.PHASES[1:-1]:
        result["phases"][phase] = measure_phase(running, guest, phase, options, exits)
        if phase == "idle":
            result["memory"] = processes.private_memory(processes.tree(running.process.pid))
    wait_for_phase(running, guest, "done", options.seconds + 10)
    for phase, counted in result["phases"].items():
        counted["ticks_per_second"] = tick_rate(guest.record(phase))


def measure_boot(running, entries, result):
    pid, init = running.wait(traces.MARK_INIT, BOOT_SECONDS_ICOUNT, "at its init")
    launch = running.marks.find(": launch")[1]
    result["to_init"] = init - launch
    result["to_first"] = entries.first(pid) - launch


class Options:
    def __init__(self, what, seconds, files):
        self.seconds = float(seconds)
        self.cmdline = vmms.NO_HALT if what == "instructions" else ""
        with open(files, encoding="utf-8") as file:
            self.files = json.load(file)


def warm(files):
    """Into the page cache, which the first VMM would fill for the others."""
    for path in list(files.values()) + [files["nohype"] + "-core"]:
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
    subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.DEVNULL, check=True)


def run_one(vmm, options, what, marks, counter):
    counter.empty()
    running = Running(vmm, options, marks)
    result = {"vmm": vmm.name, "command": running.command}
    try:
        if what == "exits":
            measure_work(running, options, counter, result)
        else:
            measure_boot(running, counter, result)
    except Failed as failure:
        result["failed"] = str(failure)
    finally:
        running.end()
    return result


def main(what, seconds, files, output, *names):
    options = Options(what, seconds, files)
    marks = traces.Marks()
    counter = traces.Exits() if what == "exits" else traces.Entries()
    warm(options.files)
    results = []
    for vmm in vmms.VMMS:
        if what not in vmm.parts or (names and vmm.name not in names):
            continue
        results.append(run_one(vmm, options, what, marks, counter))
        print(f"bench: {vmm.name}: {results[-1].get('failed', what + ' measured')}", flush=True)
        with open(output, "w", encoding="utf-8") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
