#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs on the host with KVM: a guest with a network card and two disks under each VMM, and what its packets and blocks
cost, as JSON.

usage: devices_run.py ROUNDS FILES.json INSTRUCTIONS OUTPUT.json [VMM...]
"""

import json
import os
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import devices_images  # noqa: E402
import devices_vmms  # noqa: E402
import measure  # noqa: E402
import processes  # noqa: E402
import traces  # noqa: E402
import vmms  # noqa: E402

BOOT_SECONDS = 240  # on a busy machine; 10 to 20 else
CPUS = 2

# What is asked of the peer (tests/bench/devices_peer.c), and the unit that its answer counts in.
DATAGRAM, SMALL, BURST = 1472, 64, 64
PHASES = {
    "round trips": (f"echo 500 {SMALL}", "packets"),
    "to the guest": (f"sink 40 {BURST} {DATAGRAM}", "packets"),
    "from the guest": (f"source 40 {BURST} {DATAGRAM}", "packets"),
}
DISKS = {"memory": 0, "nvme": 1}
for disk, number in DISKS.items():
    PHASES[f"{disk}, read 4 KiB"] = (f"read {number} 500 4096", "blocks")
    PHASES[f"{disk}, write 4 KiB"] = (f"write {number} 500 4096", "blocks")
    PHASES[f"{disk}, read 256 KiB"] = (f"read {number} 50 {256 << 10}", "blocks")
    PHASES[f"{disk}, write 256 KiB"] = (f"write {number} 50 {256 << 10}", "blocks")
LOST = 0.01  # of the packets, at most


class Counters:
    """Exits of all VMs, and instructions of each of this host's CPUs, between two looks."""

    def __init__(self, instructions):
        self.exits = traces.Exits()
        self.file = instructions

    def instructions(self):
        with open(self.file, "rb", buffering=0) as file:
            return struct.unpack(f"={CPUS}Q", file.read(8 * CPUS))

    def look(self):
        return dict(self.exits.counts(), instructions=self.instructions())


class Peer:
    """The program beside the guest, on this host."""

    def __init__(self, program, running):
        self.running = running
        self.process = subprocess.Popen([program, running.vmm.ip], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)

    def ask(self, line):
        """The two numbers of its answer."""
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().split()
        if len(answer) != 3 or answer[0] != "done":
            raise self.running.failed(f'"{line}": {" ".join(answer) or "no answer"}')
        return int(answer[1]), int(answer[2])

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def run(*command):
    subprocess.run(command, check=True)


def prepare():
    """The host's side of both networks, and the disk in memory, which is empty."""
    run("modprobe", "-a", "vhost_net", "tun")
    os.mkdir(devices_vmms.IMAGES)
    run("mount", "-t", "tmpfs", "tmpfs", devices_vmms.IMAGES)
    with open(os.path.join(devices_vmms.IMAGES, "memory.img"), "wb") as file:
        file.truncate(devices_vmms.DISK_MIB << 20)
    run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "vnet_hdr")
    run("ip", "link", "set", "tap0", "up")  # the card's is nohype's to set up
    for vmm in devices_vmms.Nohype, devices_vmms.Qemu:
        run("ip", "addr", "add", vmm.peer + "/24", "dev", vmm.interface)


def wait_for(seconds, true):
    latest = time.monotonic() + seconds
    while not true() and time.monotonic() < latest:
        time.sleep(0.1)
    return true()


def is_sealed(nohype):
    answer = subprocess.run([nohype, "exits", "--json", "bench"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False)
    return not answer.returncode and json.loads(answer.stdout)["state"] == "sealed"


def wait_until_ready(running, files):
    running.wait(traces.MARK_READY, BOOT_SECONDS, "ready")
    if running.vmm.qemu:
        processes.pin_vcpu(running.process.pid, vmms.CORE)
    elif not wait_for(30, lambda: is_sealed(files["nohype"])):
        raise running.failed("not sealed")


def measure_phase(running, peer, phase, counters):
    line, unit = PHASES[phase]
    before = counters.look()
    units, bad = peer.ask(line)
    after = counters.look()
    if not running.alive():
        raise running.failed(f"{phase}: it has ended")
    wanted = int(line.split()[2]) if unit == "blocks" else 1
    if units < wanted or bad > (0 if unit == "blocks" else units * LOST):
        raise running.failed(f"{phase}: {units} {unit}, {bad} of them wrong or lost")
    counted = measure.agreed(running, measure.difference(before, after))
    instructions = [b - a for a, b in zip(before["instructions"], after["instructions"])]
    return dict(counted, units=units, lost=bad, instructions=instructions)


def measure_devices(running, peer, rounds, counters, result):
    peer.ask(f"echo 50 {SMALL}")
    for number in DISKS.values():
        peer.ask(f"fill {number} 32 {1 << 20}")
    result["phases"] = {phase: [] for phase in PHASES}
    for _ in range(rounds):
        for phase in PHASES:
            result["phases"][phase].append(measure_phase(running, peer, phase, counters))


def end_sealed(running, peer):
    """It executes a CPUID: the tripwire was armed all the time, if it dies of that and of nothing before."""
    peer.ask("end")
    if not wait_for(30, lambda: not running.alive()):
        raise running.failed("a CPUID, which a sealed guest dies of, and it goes on")
    with open(running.console, encoding="utf-8", errors="replace") as file:
        words = file.read().strip().splitlines()[-1]
    if running.process.poll() != 5 or "CPUID" not in words:
        raise running.failed("it ended, but not of its CPUID")
    return words


def run_one(vmm, options, marks, counters):
    result = {"vmm": vmm.name}
    running = measure.Running(vmm, options, marks)
    result["command"] = running.command
    peer = None
    try:
        wait_until_ready(running, options.files)
        peer = Peer(options.files["peer"], running)
        measure_devices(running, peer, options.rounds, counters, result)
        if not vmm.qemu:
            result["end"] = end_sealed(running, peer)
    except measure.Failed as failure:
        result["failed"] = str(failure)
    finally:
        if peer:
            peer.end()
        running.end()
    return result


class Options:
    seconds, cmdline = 0, ""

    def __init__(self, rounds, files):
        self.rounds = int(rounds)
        with open(files, encoding="utf-8") as file:
            self.files = json.load(file)


def write(output, results):
    """After each step: what was found stays, however it ends."""
    with open(output, "w", encoding="utf-8") as file:
        json.dump(results, file)


def main(rounds, files, instructions, output, *names):
    options = Options(rounds, files)
    prepare()
    marks, counters = traces.Marks(), Counters(instructions)
    results = {"devices": []}
    for vmm in devices_vmms.VMMS:
        if names and vmm.name not in names:
            continue
        if not wait_for(60, lambda: os.path.exists(devices_vmms.NVME)):
            sys.exit(f"bench: {devices_vmms.NVME} doesn't come back")
        results["devices"].append(run_one(vmm, options, marks, counters))
        print(f"bench: {vmm.name}: {results['devices'][-1].get('failed', 'measured')}", flush=True)
        write(output, results)
    results["images"] = devices_images.measure(options.files, options.rounds)
    print(f"bench: images: {results['images'].get('failed', 'measured')}", flush=True)
    write(output, results)


if __name__ == "__main__":
    main(*sys.argv[1:])
