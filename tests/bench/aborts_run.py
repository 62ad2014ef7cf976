#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs on the host with KVM: a sealed guest that is ended for what it does, many times, beside others that go on. How long
each step of its end took, as JSON.

usage: aborts_run.py COUNT NEIGHBOURS FILES.json OUTPUT.json
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "../e2e"))
from nohyped_api import Connection, answers, exits_since_seal  # noqa: E402
import traces  # noqa: E402

RUN, STATE = "/run/aborts", "/run/aborts-state"
SOCKET = f"{RUN}/api.sock"
PATIENCE = 300
CPUID = 0x72  # SVM's number of that exit
MEMORY_MIB = 64


def ask(method, path, body=None):
    return Connection(SOCKET, PATIENCE).ask(method, path, body)


class ForbiddenExits(traces.Instance):
    """When the guest did it, by the kernel's own clock."""

    def __init__(self):
        super().__init__("bench-aborts")
        self.write("trace_clock", "mono")
        self.write("events/kvm/kvm_exit/filter", f"exit_reason == {CPUID}")
        self.write("events/kvm/kvm_exit/enable", "1")

    def take(self):
        """Nanoseconds of the one there was."""
        seen = [event for event in map(traces.parse_event, self.read("trace").splitlines()) if event]
        self.empty()
        if len(seen) != 1:
            sys.exit(f"bench: {len(seen)} forbidden exits seen, where one was wanted")
        return seen[0][1]


class Events:
    """What nohyped tells, with when it was here. Whoever waits sleeps: with an instruction clock, looking is time."""

    def __init__(self):
        self.queue = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for event in Connection(SOCKET, PATIENCE).events():
            self.queue.put((time.monotonic_ns(), event))

    def wait(self, name, *states):
        """{state: ns} of each on the way to the last of @states."""
        seen = {}
        while states[-1] not in seen:
            at, event = self.queue.get(timeout=PATIENCE)
            if event["type"] == "state" and event.get("vm") == name:
                seen[event["state"]] = at
                if event["state"] == "gone" and "gone" not in states:
                    sys.exit(f"bench: {name} ended, where it should have been {states[-1]}")
        return seen


def start_manager(program):
    process = subprocess.Popen([program, "--state", STATE, "--run", RUN])
    latest = time.monotonic() + PATIENCE
    while not answers(SOCKET, PATIENCE):
        if time.monotonic() > latest:
            sys.exit("bench: nohyped doesn't answer")
        time.sleep(0.2)
    return process


def start(name, kernel, core):
    config = {"kernel": kernel, "cores": [core], "memory": {"size": f"{MEMORY_MIB}M", "page_size": "2M"}}
    for method, path, body, wanted in (("PUT", f"/v1/vms/{name}", config, (200, 201)),
                                       ("POST", f"/v1/vms/{name}/start", None, (200, 202))):
        status, answer = ask(method, path, body)
        if status not in wanted:
            sys.exit(f"bench: {method} {path}: {status}: {answer}")


def steps_of(report):
    """{step: when it began}, of the end."""
    return {step["step"]: step["ns"] for step in report["steps"] if step["sequence"] == "abort"}


def abort_once(events, exits, kernel):
    """Nanoseconds from the forbidden exit."""
    start("breaks", kernel, 1)
    told = events.wait("breaks", "aborting", "gone")
    exit_at = exits.take()
    report = ask("GET", "/v1/vms/breaks/report")[1]
    violation, steps = report["violation"], steps_of(report)
    if not violation or violation["reason"] != CPUID or report["memory_cleared"]["bytes"] != MEMORY_MIB << 20:
        sys.exit(f"bench: another end than was wanted: {report['outcome']}")
    begun = violation["ns"]
    return {"stopped": report["times"]["ended_ns"] - begun, "told": told["aborting"] - exit_at,
            "cleared": steps["huge pages"] - begun, "gone": told["gone"] - exit_at}


def exits_of(name):
    return exits_since_seal(lambda: ask("GET", f"/v1/vms/{name}")[1]["live"]["vcpus"])


def main(count, neighbours, files, output):
    with open(files, encoding="utf-8") as file:
        files = json.load(file)
    manager, exits = start_manager(files["nohyped"]), ForbiddenExits()
    events = Events()
    names = [f"neighbour-{number}" for number in range(int(neighbours))]
    for number, name in enumerate(names):
        start(name, files["poll"], 2 + number)
        events.wait(name, "sealed")
    found = {"aborts": []}
    for number in range(int(count)):
        found["aborts"].append(abort_once(events, exits, files["late-cpuid"]))
        if number % 10 == 9:
            print(f"bench: {number + 1} of {count} aborts", flush=True)
    found["neighbours"] = {name: exits_of(name) for name in names}
    for name in names:
        ask("POST", f"/v1/vms/{name}/abort")
        events.wait(name, "gone")
    manager.terminate()
    manager.wait()
    with open(output, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
