# SPDX-License-Identifier: GPL-2.0-only
"""The guest's memory: how fast it is cleared, beside the processor's own best, and prepared, beside QEMU. On this machine."""

import json
import os
import statistics
import subprocess
import sys
import time

CLEAR_MIB, PREPARE_MIB = 2048, 4096
SPARE_MIB = 64
QEMU = "qemu-system-x86_64"
STREAMING = ("sse2", "avx", "clzero")


class Failed(Exception):
    pass


def program(build, *args):
    answer = subprocess.run([os.path.join(build, "bench-memory"), *map(str, args)], stdout=subprocess.PIPE, check=False)
    if answer.returncode:
        raise Failed(f"bench-memory {args[0]}: exit code {answer.returncode}")
    return json.loads(answer.stdout)


def qemu_once(mib, page_kib, threads, prealloc):
    """Seconds from the start of a QEMU with such memory to its end, which is ordered at once."""
    backend = f"memory-backend-memfd,id=ram,size={mib}M,share=on,prealloc={prealloc}"
    if prealloc == "on":
        backend += f",prealloc-threads={threads}"
    if page_kib > 4:
        backend += f",hugetlb=on,hugetlbsize={page_kib}K"
    begun = time.monotonic()
    answer = subprocess.run([QEMU, "-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-S",
                             "-machine", "q35,memory-backend=ram", "-m", f"{mib}M", "-object", backend,
                             "-monitor", "stdio"], input=b"quit\n", stdout=subprocess.DEVNULL, check=False)
    if answer.returncode:
        raise Failed(f"{QEMU}: exit code {answer.returncode}")
    return time.monotonic() - begun


def prepare(build, page_kib, rounds):
    """In turns, so that what disturbs the machine disturbs all. QEMU's own start is taken off: the same without prealloc."""
    found = {"nohype": [], "qemu": [], "qemu start": []}
    for _ in range(rounds):
        one = program(build, "prepare", PREPARE_MIB, page_kib, 1)
        found["nohype"] += one["seconds"]
        found["qemu"].append(qemu_once(PREPARE_MIB, page_kib, one["cores"], "on"))
        found["qemu start"].append(qemu_once(PREPARE_MIB, page_kib, one["cores"], "off"))
    return found


def measure(build, page_kib, rounds, output):
    """In the process that has the huge pages."""
    found = {"page_kib": page_kib, "clear": program(build, "clear", CLEAR_MIB, page_kib, rounds),
             "prepare": prepare(build, page_kib, rounds)}
    with open(output, "w", encoding="utf-8") as file:
        json.dump(found, file)


def run(build, folder, rounds):
    """All of it, with huge pages for as long as it takes, or, who may not have them, without."""
    output = os.path.join(folder, "memory.json")
    again = [sys.executable, os.path.realpath(__file__), build, output, str(rounds)]
    held = subprocess.run([os.path.join(build, "bench-memory"), "hold", str(PREPARE_MIB + SPARE_MIB), *again, "2048"],
                          check=False).returncode
    if held == 3:
        print("bench: no huge pages to be had: pages of 4 KiB", file=sys.stderr)
        held = subprocess.run([*again, "4"], check=False).returncode
    if held:
        raise Failed(f"memory: exit code {held}")
    with open(output, encoding="utf-8") as file:
        return json.load(file)


def clear_rows(clear):
    """A row for one core, and for all: GB/s by median, and ratios of what was measured in one round, by median."""
    for cores in sorted({1, clear["cores"]}):
        speeds = {name.split("/")[0]: values for name, values in clear["speeds"].items()
                  if int(name.split("/")[1]) == cores}
        best = max((name for name in STREAMING if name in speeds), key=lambda name: statistics.median(speeds[name]))
        ratio = {other: statistics.median(a / b for a, b in zip(speeds["clear"], speeds[other]))
                 for other in ("memset", best)}
        yield [f"{cores}", *(f"{statistics.median(speeds[name]) / 1e9:.1f}" for name in
                             ("clear", "clear and verify", "memset", best)), best, f"{ratio['memset']:.2f}",
               f"{ratio[best]:.2f}"]


def table(head, rows):
    lines = [head, ["-" * len(cell) for cell in head], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def report(found):
    pages = "2 MiB" if found["page_kib"] > 4 else "4 KiB"
    prepared = {name: statistics.median(values) for name, values in found["prepare"].items()}
    qemu = statistics.median(a - b for a, b in zip(found["prepare"]["qemu"], found["prepare"]["qemu start"]))
    ratio = statistics.median(a / (b - c) for a, b, c in zip(*(found["prepare"][name] for name in
                                                              ("nohype", "qemu", "qemu start"))))
    return (f"Clearing {CLEAR_MIB >> 10} GiB in pages of {pages}, GB/s, medians of {len(found['prepare']['nohype'])}:\n\n" +
            table(["cores", "cleared", "and all read back", "memset", "best store loop", "which", "to memset", "to the best"],
                  clear_rows(found["clear"])) +
            f"\nPreparing {PREPARE_MIB >> 10} GiB with {found['clear']['cores']} threads: nohype {prepared['nohype']:.2f} s, "
            f"QEMU's prealloc {qemu:.2f} s (without its start, {prepared['qemu start']:.2f} s); ratio {ratio:.2f}\n")


if __name__ == "__main__":
    try:
        measure(sys.argv[1], int(sys.argv[4]), int(sys.argv[3]), sys.argv[2])
    except Failed as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
