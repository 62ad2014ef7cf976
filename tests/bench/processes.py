# SPDX-License-Identifier: GPL-2.0-only
"""A VMM's processes: which they are, what memory is theirs alone, where their vCPU runs."""

import contextlib
import os
import re

PRIVATE = ("Private_Clean", "Private_Dirty", "Private_Hugetlb", "Swap")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def tree(pid):
    """This process and all that descend from it."""
    pids = [pid]
    for parent in pids:
        with contextlib.suppress(FileNotFoundError):
            for thread in os.listdir(f"/proc/{parent}/task"):
                pids += map(int, read(f"/proc/{parent}/task/{thread}/children").split())
    return pids


def parse_smaps(text):
    """KiB that a process has to itself, by kind of page, without guest memory: that is a memfd, under all of them."""
    total = dict.fromkeys(PRIVATE, 0)
    ours = True
    for line in text.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            ours = "/memfd:" not in line
            continue
        name, _, rest = line.partition(":")
        if ours and name in total:
            total[name] += int(rest.split()[0])
    return total


def private_memory(pids):
    """KiB by process; dirty is what it wrote itself, the rest are files' pages that no one else has mapped now."""
    found = []
    for pid in pids:
        total = parse_smaps(read(f"/proc/{pid}/smaps"))
        found.append({"process": read(f"/proc/{pid}/comm").strip(), "private_kib": sum(total.values()),
                      "dirty_kib": total["Private_Dirty"]})
    return found


def pin_vcpu(pid, core):
    """QEMU's vCPU thread has its name by -name ...,debug-threads=on; nohype pins its own."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        if re.fullmatch(r"CPU \d+/KVM\n", read(f"/proc/{pid}/task/{thread}/comm")):
            os.sched_setaffinity(int(thread), {core})
            return
    raise SystemExit(f"bench: process {pid}: no thread of a vCPU to pin")
