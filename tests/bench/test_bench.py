#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What make bench does with what it read, on samples of that: nothing here runs a VMM."""

import os
import re
import struct
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
import page  # noqa: E402
import plot  # noqa: E402
import processes  # noqa: E402
import result  # noqa: E402
import table  # noqa: E402
import traces  # noqa: E402
import vmms  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))

HIST = """\
# event histogram
#
# trigger info: hist:keys=vcpu_id:vals=hitcount:sort=hitcount:size=2048 if exit_reason == 0x400 && info1 & 2 [active]
#

{ vcpu_id:          0 } hitcount:         14
{ vcpu_id:          1 } hitcount:          2

Totals:
    Hits: 16
    Entries: 2
    Dropped: 0
# event histogram
#
# trigger info: hist:keys=exit_reason:vals=hitcount:sort=hitcount:size=2048 [active]
#

{ exit_reason:         55 } hitcount:          1
{ exit_reason:       1024 } hitcount:        714

Totals:
    Hits: 715
    Entries: 2
    Dropped: 0
"""

EVENT = "     nohype-core-235     [001] .....    23.484198: kvm_pio: pio_write at 0x7e0 size 1 count 1 val 0x1 "
VCPU_EVENT = "       CPU 0/KVM-247     [000] d....     9.000001: kvm_entry: vcpu 0, rip 0xfff0"

SMAPS = """\
55d0c0a00000-55d0c0b00000 r-xp 00000000 00:17 12 /usr/bin/vmm
Size:               1024 kB
Private_Clean:       100 kB
Private_Dirty:         0 kB
Private_Hugetlb:       0 kB
7f0000000000-7f0010000000 rw-s 00000000 00:10 5 /memfd:nohype-guest (deleted)
Private_Clean:         7 kB
Private_Dirty:        70 kB
Private_Hugetlb:  262144 kB
7f0020000000-7f0020100000 rw-p 00000000 00:00 0 
Private_Dirty:        20 kB
Swap:                  4 kB
"""  # noqa: W291

EXPLAINED = """\
Words about it.

AMD SVM
  0x60   INTR                   passes   an interrupt for the host on this core
  0x7c   MSR                    ends it  RDMSR or WRMSR
  0x400  nested page fault      ends it  an access outside of memory

Intel VMX
  0x0    exception or NMI       ends it  an exception
"""

REASONS = {0x60: ("INTR", True), 0x7c: ("MSR", False), 0x400: ("nested page fault", False)}


def phase(reasons, eoi=0, seconds=2.0):
    return {"seconds": seconds, "reasons": reasons, "eoi": eoi, "kvm": sum(reasons.values()), "work": 10,
            "ticks_per_second": 250.0}


def one(name, reasons, private, eoi=0):
    return {"vmm": name, "command": ["x"], "boot": phase({"96": 5}), "memory": [
        {"process": "a", "private_kib": private, "dirty_kib": 1}, {"process": "b", "private_kib": 1, "dirty_kib": 1}],
        "phases": {name: phase(reasons, eoi) for name in result.PHASES}}


def boot(name, init):
    return {"vmm": name, "command": ["x"], "to_first": 1000000, "to_init": init}


RUNS = [{"exits": [one("nohype", {"96": 500, "1024": 4}, 99, eoi=4), one("microvm", {"96": 2, "124": 600}, 4999)],
         "instructions": [boot("nohype", 10**9), boot("microvm", 4 * 10**9)]},
        {"exits": [one("nohype", {"96": 500, "1024": 8}, 99, eoi=8), {"vmm": "microvm", "failed": "it fell over"}],
         "instructions": [boot("nohype", 2 * 10**9), boot("microvm", 5 * 10**9)]},
        {"exits": [one("nohype", {"96": 500}, 199), one("microvm", {"124": 400}, 4999)],
         "instructions": [boot("nohype", 9 * 10**9), boot("microvm", 9 * 10**9)]}]


class Reading(unittest.TestCase):
    def test_hist(self):
        self.assertEqual(traces.parse_hist(HIST), {"vcpu_id": {0: 14, 1: 2}, "exit_reason": {55: 1, 1024: 714}})

    def test_events(self):
        self.assertEqual(traces.parse_event(EVENT)[:2], (235, 23484198000))
        self.assertIn("pio_write at 0x7e0 ", traces.parse_event(EVENT)[2])
        self.assertEqual(traces.parse_event(VCPU_EVENT)[:2], (247, 9000001000))
        self.assertIsNone(traces.parse_event("# entries-in-buffer/entries-written: 2/2   #P:2"))

    def test_guest_memory_is_not_the_vmms(self):
        total = processes.parse_smaps(SMAPS)
        self.assertEqual(total, {"Private_Clean": 100, "Private_Dirty": 20, "Private_Hugetlb": 0, "Swap": 4})

    def test_page_is_read(self):
        words = [*page.MAGIC] + [0] * 510
        words[2] = page.PHASES.index("idle")
        words[3 + 5 * 2:3 + 5 * 3] = [1, 2, 3, 4, 5]
        with tempfile.TemporaryFile() as file:
            file.truncate(4 * page.CHUNK)
            file.seek(page.CHUNK + 7 * page.PAGE)
            file.write(struct.pack("<512Q", *words))
            file.flush()
            found = page.GuestPage(file, page.CHUNK // page.PAGE + 7)
            self.assertEqual(found.phase(), "idle")
            self.assertEqual(found.record("idle"), dict(zip(page.RECORD, [1, 2, 3, 4, 5])))
            with self.assertRaises(ValueError):
                page.GuestPage(file, page.CHUNK // page.PAGE + 8)

    def test_page_number(self):
        marks = traces.Marks.__new__(traces.Marks)
        marks.seen = [traces.parse_event(EVENT)]
        self.assertIsNone(marks.page_number())
        marks.seen.append(traces.parse_event(EVENT.replace("size 1 count 1 val 0x1", "size 4 count 1 val 0xe7fa")))
        self.assertEqual(marks.page_number(), 0xe7fa)

    def test_reasons(self):
        self.assertEqual(result.parse_reasons(EXPLAINED), REASONS)

    def test_guest_and_host_side_agree(self):
        """Ports, magic words and phases stand in the guest's program and here."""
        with open(os.path.join(HERE, "guest.c"), encoding="utf-8") as file:
            source = file.read()
        self.assertEqual(int(re.search(r"PORT_MARK (0x\w+)", source)[1], 16), traces.MARK_INIT)
        magic = re.search(r"magic\[2\] = \{ (0x\w+)ULL, (0x\w+)ULL \}", source)
        self.assertEqual((int(magic[1], 16), int(magic[2], 16)), page.MAGIC)
        phases = re.search(r"enum phase \{ (.*) \}", source)[1].lower().split(", ")
        self.assertEqual(phases, page.PHASES)
        with open(os.path.join(HERE, "../../devices/ports.h"), encoding="utf-8") as file:
            self.assertEqual(int(re.search(r"PORT_SEAL\s+(0x\w+)", file.read())[1], 16), traces.MARK_READY)


class Results(unittest.TestCase):
    def setUp(self):
        self.summary = result.summarize(RUNS, ["nohype", "microvm"], REASONS)

    def test_medians(self):
        busy = self.summary["nohype"]["phases"]["busy"]
        self.assertEqual((busy["guest"], busy["eoi"], busy["host"]), (0, 2, 250))
        self.assertEqual(busy["reasons"], {0x60: 250, 0x400: 2})
        self.assertEqual(self.summary["microvm"]["phases"]["idle"]["guest"], 250)
        self.assertEqual(self.summary["nohype"]["instructions"]["to_init"], 2 * 10**9)
        self.assertEqual(self.summary["nohype"]["memory"], {"private_kib": 100, "dirty_kib": 2})

    def test_an_unknown_reason_is_the_guests(self):
        self.assertEqual(result.counted_by({"96": 3, "4660": 2}, REASONS, host=False), 2)

    def test_failures_are_said(self):
        self.assertEqual(result.failures(RUNS), ["run 2, exits: microvm: it fell over"])

    def test_verdicts(self):
        lines = table.verdicts(self.summary, others=["microvm"]).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(all(line.endswith(": held") for line in lines), lines)
        self.summary["nohype"]["phases"]["busy"]["guest"] = 0.3
        self.summary["nohype"]["instructions"]["to_init"] = 6 * 10**9
        self.summary["nohype"]["memory"]["private_kib"] = 501
        lines = table.verdicts(self.summary, others=["microvm"]).splitlines()
        self.assertTrue(all(line.endswith(": NOT held") for line in lines), lines)

    def test_report_and_plot(self):
        measured = {"runs": RUNS, "host": "sample", "kernel": "6.12", "memory_mib": 256,
                    "vmms": [{"name": vmm.name, "words": vmm.words} for vmm in vmms.VMMS]}
        report = table.report(measured, self.summary, REASONS)
        self.assertIn("MSR (0x7c, guest)", report)
        for line in report.splitlines():
            if line.startswith("| microvm "):
                self.assertEqual(line.count("|"), report.splitlines()[report.splitlines().index(line) - 1].count("|"))
        xml.dom.minidom.parseString(plot.plot(self.summary, "a < b"))

    def test_each_vmm_is_started_with_the_same_guest(self):
        files = {"bzImage": "/k/bzImage", "vmlinux": "/k/vmlinux", "initrd": "/i", "nohype": "/n"}
        with tempfile.TemporaryDirectory() as folder:
            for vmm in vmms.VMMS:
                words = " ".join(vmm.command(files, folder, 5))
                if not vmm.qemu:
                    with open(os.path.join(folder, "vm.json"), encoding="utf-8") as file:
                        words = file.read()
                self.assertIn("rdinit=/bin/bench BENCH_SECONDS=5", words)
                self.assertIn("/i", words)
                self.assertIn("256M", words)


if __name__ == "__main__":
    unittest.main()
