#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What BENCH=devices make bench does with what it read, on samples of that: nothing here runs a VMM."""

import copy
import os
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import devices  # noqa: E402
import devices_images  # noqa: E402
import devices_run  # noqa: E402
import devices_table  # noqa: E402
import devices_vmms  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
REASONS = {0x60: ("INTR", True), 0x78: ("HLT", False), 0x400: ("nested page fault", False)}


def once(reasons, eoi=0, units=100, instructions=(2000, 3000)):
    return {"seconds": 2.0, "reasons": reasons, "eoi": eoi, "kvm": sum(reasons.values()), "units": units, "lost": 0,
            "instructions": list(instructions)}


def guest(name, *times):
    return {"vmm": name, "command": ["x"], "phases": {phase: copy.deepcopy(list(times)) for phase in devices_run.PHASES}}


def images(nohype, dd, qemu_img):
    return {work: {"nohype": nohype, "dd": dd, "qemu-img": qemu_img} for work in devices_images.WORK}


SEALED = guest("nohype", once({"96": 50, "1024": 2}, eoi=2), once({"96": 70}))
VIRTIO = guest("virtio", once({"96": 50, "120": 300}, instructions=(9000, 9000)),
               once({"96": 50, "120": 500}, instructions=(9000, 9000)))
RUNS = [{"devices": [SEALED, VIRTIO], "images": {"rounds": [images(1.0, 1.5, 2.0), images(1.0, 3.0, 2.0)]}},
        {"devices": [SEALED, {"vmm": "virtio", "failed": "it fell over"}], "images": {"rounds": [], "failed": "no disk"}}]
MEASURED = {"runs": RUNS, "host": "sample", "kernel": "6.12", "memory_mib": 256, "vmms": devices.words()}


class Results(unittest.TestCase):
    def setUp(self):
        self.summary = devices_table.summarize(RUNS, ["nohype", "virtio"], REASONS)

    def verdicts(self):
        return devices_table.verdicts(self.summary, devices_table.images_of(RUNS)).splitlines()

    def test_each_packet_has_its_share(self):
        found = self.summary["nohype"]["round trips"]
        self.assertEqual((found["guest"], found["late"], found["host"]), (0, 0.01, 0.6))
        self.assertEqual((found["speed"], found["instructions"], found["times"]), (50, 50, 4))
        self.assertEqual((found["host_instructions"], found["guest_instructions"]), (20, 30))
        self.assertEqual(self.summary["virtio"]["round trips"]["guest"], 4)
        self.assertEqual(self.summary["virtio"]["round trips"]["times"], 2)

    def test_an_unknown_reason_is_the_guests(self):
        self.assertEqual(devices_table.for_each(once({"4660": 50}), REASONS)["guest"], 0.5)

    def test_failures_are_said(self):
        self.assertEqual(devices_table.failures(RUNS), ["run 2: virtio: it fell over", "run 2: images: no disk"])

    def test_ratios_are_of_what_one_round_measured(self):
        found = devices_table.images_of(RUNS)["memory, load"]
        self.assertEqual(devices_table.speed_ratio(found, "dd"), 2.25)
        self.assertEqual(devices_table.images_of(RUNS[1:]), {})

    def test_promises_that_are_kept(self):
        lines = self.verdicts()
        self.assertEqual(len(lines), 2 * len(devices_run.PHASES) + 2 * (len(devices_images.WORK) - 1))
        self.assertTrue(all(line.endswith(": held") for line in lines), lines)

    def test_one_exit_of_a_sealed_guest_is_one_too_many(self):
        another = copy.deepcopy(SEALED)
        another["phases"]["round trips"][0]["reasons"]["120"] = 1
        runs = [RUNS[0], dict(RUNS[1], devices=[another])]
        self.summary = devices_table.summarize(runs, ["nohype", "virtio"], REASONS)
        self.assertEqual(self.summary["nohype"]["round trips"]["guest"], 0)
        broken = [line for line in self.verdicts() if line.endswith(": NOT held")]
        self.assertEqual(len(broken), 1, broken)
        self.assertIn("round trips: exits by the guest for each, at most 0.01", broken[0])

    def test_promises_that_are_not_kept(self):
        for phase in self.summary["nohype"].values():
            phase.update(most=0.1, instructions=181)
        found = {work: {"nohype": [2.0], "dd": [1.9], "qemu-img": [1.0]} for work in devices_images.WORK}
        lines = devices_table.verdicts(self.summary, found).splitlines()
        self.assertTrue(all(line.endswith(": NOT held") for line in lines), lines)

    def test_no_exit_beside_none_is_no_win(self):
        for phase in self.summary["virtio"].values():
            phase["guest"] = 0
        self.assertIn(": NOT held", self.verdicts()[0])

    def test_a_guest_that_lived_on_is_said(self):
        self.assertIn("0 of 2 sealed guests", devices_table.tripwire(RUNS))
        dead = [{"devices": [dict(SEALED, end="violation: CPUID")]}]
        self.assertIn("1 of 1 sealed guests", devices_table.tripwire(dead))
        self.assertIn(": held", devices_table.tripwire(dead))
        self.assertIn(": NOT held", devices_table.tripwire(RUNS))
        self.assertIn(": NOT held", devices_table.tripwire([]))

    def test_tables(self):
        report = devices_table.report(MEASURED, REASONS)
        lines = report.splitlines()
        for i, line in enumerate(lines):
            if line.startswith("|") and i and lines[i - 1].startswith("|"):
                self.assertEqual(line.count("|"), lines[i - 1].count("|"))
        self.assertIn("Medians of 4 times in 2 runs", report)
        self.assertIn("| nohype / virtio ", report)
        self.assertIn("Not measured, and why:", report)
        self.assertRegex(report, r"\| memory, load +\| +64\.0 \|")

    def test_where_all_failed_there_is_a_report_still(self):
        runs = [{"devices": [{"vmm": "nohype", "failed": "x"}], "images": {"rounds": [], "failed": "y"}}]
        report = devices_table.report(dict(MEASURED, runs=runs), REASONS)
        self.assertNotIn(": held", report)


class Started(unittest.TestCase):
    def test_each_vmm_is_started_with_the_same_guest(self):
        files = {"bzImage": "/k/bzImage", "vmlinux": "/k/vmlinux", "initrd": "/i", "nohype": "/n"}
        with tempfile.TemporaryDirectory() as folder:
            for vmm in devices_vmms.VMMS:
                words = " ".join(vmm.command(files, folder, 0, ""))
                if not vmm.qemu:
                    with open(os.path.join(folder, "vm.json"), encoding="utf-8") as file:
                        words = file.read()
                self.assertIn(f"nohype.do=devices nohype.ip={vmm.ip} nohype.peer={vmm.peer} nohype.disks=", words)
                self.assertIn("256M", words)
                self.assertIn("/i", words)

    def test_what_is_asked_fits_guest_and_peer(self):
        with open(os.path.join(HERE, "devices.h"), encoding="utf-8") as file:
            header = file.read()
        largest = int(re.search(r"BENCH_PACKET_MAX\s+(\d+)", header)[1])
        self.assertEqual(devices_run.DATAGRAM, largest)
        with open(os.path.join(HERE, "devices_peer.c"), encoding="utf-8") as file:
            known = set(re.findall(r'strcmp\(word, "(\w+)"\)', file.read()))
        self.assertTrue({line.split()[0] for line, _ in devices_run.PHASES.values()} <= known)
        self.assertEqual(set(devices_table.NETWORK + tuple(
            f"{disk}, {work}" for disk in devices_table.DISKS for work in devices_table.DISK_WORK)), set(devices_run.PHASES))


if __name__ == "__main__":
    unittest.main()
