# SPDX-License-Identifier: GPL-2.0-only
"""The end of a sealed guest that did what it may not: from its forbidden exit to its memory cleared, as histograms. On an
emulated host, once beside three other VMs, and once alone where time is instructions."""

import json
import math
import os
import statistics

import emulated
from emulated import HERE, Failed, found_at, make_small_guest

COUNT, NEIGHBOURS = 100, 3
STEPS = {"stopped": "the core manager's threads are gone, its vCPU with them", "told": "nohyped's client has the event `aborting`",
         "cleared": "64 MiB are cleared, and the host's", "gone": "nohyped's client has the event `gone`"}
HOSTS = {"time": (NEIGHBOURS, ["--cpus", "5", "--isolated", "1-4", "--mem", "1G", "--hugepages", "2M:140"]),
         "instructions": (0, ["--icount", "--cpus", "2", "--isolated", "1", "--mem", "1G", "--hugepages", "2M:40"])}
SECONDS = 3600  # at most
BUCKETS_A_DOUBLING = 2
BAR = 50


def run_host(build, folder, kind, count):
    """One start of the emulated host."""
    neighbours, options = HOSTS[kind]
    output = found_at(folder, f"aborts-{kind}.json")
    found, status = emulated.run(build, ["--no-devices", *options, "--timeout", str(SECONDS)], output,
                                 os.path.join(HERE, "aborts_run.py"), str(count), str(neighbours),
                                 os.path.join(folder, "aborts-files.json"), output)
    if found is None:
        raise Failed(f"aborts: the emulated host: exit code {status}")
    return found


def run(build, folder, count=COUNT):
    """What was found, by kind of host."""
    files = {"nohyped": os.path.join(build, "nohyped"),
             "late-cpuid": make_small_guest(build, "tests/bench/late_cpuid.S", os.path.join(folder, "late-cpuid")),
             "poll": make_small_guest(build, "tests/e2e/guests/poll.S", os.path.join(folder, "poll"))}
    with open(os.path.join(folder, "aborts-files.json"), "w", encoding="utf-8") as file:
        json.dump(files, file)
    return {kind: run_host(build, folder, kind, count) for kind in HOSTS}


def bucket(value):
    """Its number: so many a doubling."""
    return math.floor(math.log2(value) * BUCKETS_A_DOUBLING)


def histogram(values, words):
    """A line a bucket, from the first that has any to the last."""
    counts = {}
    for value in values:
        counts[bucket(value)] = counts.get(bucket(value), 0) + 1
    most = max(counts.values())
    return "\n".join(f"{words(2 ** (number / BUCKETS_A_DOUBLING)):>11} {'#' * math.ceil(counts.get(number, 0) * BAR / most):{BAR}} "
                     f"{counts.get(number, 0)}".rstrip() for number in range(min(counts), max(counts) + 1)) + "\n"


def milliseconds(ns):
    return f"{ns / 1e6:,.1f} ms"


def millions(count):
    return f"{count / 1e6:,.2f} M"


UNITS = {"time": milliseconds, "instructions": millions}
TITLES = {"time": f"Time, beside {NEIGHBOURS} other sealed VMs, each with a core of its own",
          "instructions": "Instructions of both of the host's CPUs, with no other VM"}


def part(kind, found):
    words = UNITS[kind]
    lines = [f"## {TITLES[kind]}\n", f"| of {len(found['aborts'])}, from the forbidden exit until | least | median | 90 % | most |",
             "|---|---:|---:|---:|---:|"]
    for step, meaning in STEPS.items():
        values = sorted(abort[step] for abort in found["aborts"])
        lines.append(f"| {meaning} | " + " | ".join(words(value) for value in (
            values[0], statistics.median(values), values[math.ceil(len(values) * 0.9) - 1], values[-1])) + " |")
    for step, meaning in STEPS.items():
        lines += [f"\n{meaning}; each line from there on:\n", "```",
                  histogram([abort[step] for abort in found["aborts"]], words).rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def report(found):
    """All of it, as Markdown."""
    guests = found["time"]["neighbours"]
    told = ", ".join(f"{guest} by the guest, {host} by the host" for guest, host in guests.values())
    return "\n".join([*(part(kind, found[kind]) for kind in HOSTS),
                      f"Exits of the {len(guests)} others since their seals, after all of it: {told}.\n"])


def failures(found):
    return [f"{name}: {guest} exits of its own" for name, (guest, _) in found["time"]["neighbours"].items() if guest]
