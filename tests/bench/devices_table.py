# SPDX-License-Identifier: GPL-2.0-only
"""Packets, blocks and images: what several runs come to, as tables, and what is promised of it."""

import statistics

import devices_images
import result
import table

BASE, OTHERS = "nohype", ("virtio", "virtio quiet")
NETWORK = ("round trips", "to the guest", "from the guest")
DISKS = ("memory", "nvme")
DISK_WORK = ("read 4 KiB", "write 4 KiB", "read 256 KiB", "write 256 KiB")
LATE = "late EOIs"

CANNOT = """\
Not measured, and why:

- instructions by QEMU's instruction clock (--icount): it takes the interrupt remapping away without which VFIO gives no
  function, so the sealed guest couldn't be there. What stands here is counted by a plugin of QEMU's, on all of a CPU: the
  guest's own and its host's in the column of the guest's core, the peer's, vhost's and QEMU's threads' in the other.
- what the card and the NVMe disk do: the emulated host's devices are QEMU's code beneath it, no instructions of its
  CPUs. So speeds are those of that code, and compare within a table only; on a real host they are the hardware's.
- exits that posted interrupts would save: this processor has no AVIC, so each interrupt of a device for the guest is an
  exit of the host's.
"""


def of_phase(runs, vmm, phase):
    """What was counted at one kind of work of this VMM, each time."""
    return [one for run in runs for found in run["devices"] if found["vmm"] == vmm and "failed" not in found
            for one in found["phases"][phase]]


def for_each(one, reasons):
    """For each packet or block."""
    units = one["units"]
    guest = result.counted_by(one["reasons"], reasons, False) - one["eoi"]
    return {"guest": guest / units, "late": one["eoi"] / units,
            "host": result.counted_by(one["reasons"], reasons, True) / units, "speed": units / one["seconds"],
            "host_instructions": one["instructions"][0] / units, "guest_instructions": one["instructions"][1] / units,
            "instructions": sum(one["instructions"]) / units}


def summarize(runs, vmms, reasons):
    """{VMM: {phase: medians of for_each, and the most exits of the guest's of all times}}; what failed isn't there."""
    summary = {}
    for vmm in vmms:
        summary[vmm] = {}
        for phase in NETWORK + tuple(f"{disk}, {work}" for disk in DISKS for work in DISK_WORK):
            each = [for_each(one, reasons) for one in of_phase(runs, vmm, phase)]
            if each:
                most = max(one["guest"] for one in each)
                summary[vmm][phase] = dict(result.median_of_dicts(each), most=most, times=len(each))
    return summary


def count(value):
    """A number of exits for each of something: most are below ten."""
    return "0" if value == 0 else f"{value:.2f}" if value < 10 else table.number(value)


def rows(summary, phases, columns):
    """A row for each VMM, a cell for each phase and column."""
    return [[vmm] + [write(found[phase][key]) for phase in phases for key, write in columns]
            for vmm, found in summary.items() if all(phase in found for phase in phases)]


def counts_table(summary, title, phases, key, write):
    return table.markdown([title, *phases], rows(summary, phases, [(key, write)]))


def ratio_rows(summary, phases):
    """Of the speeds, to each of the others."""
    found = []
    for other in OTHERS:
        if all(phase in summary.get(name, {}) for name in (BASE, other) for phase in phases):
            found.append([f"{BASE} / {other}"] + [table.ratio(summary[BASE][phase]["speed"], summary[other][phase]["speed"])
                                                  for phase in phases])
    return found


def part(summary, unit, phases):
    """All tables of the packets, or of one disk's blocks."""
    speed = table.markdown([f"{unit}s a second", *phases],
                           rows(summary, phases, [("speed", table.number)]) + ratio_rows(summary, phases))
    return [counts_table(summary, f"exits a {unit}, by the guest", phases, "guest", count),
            counts_table(summary, f"{LATE} a {unit}", phases, "late", count),
            counts_table(summary, f"exits a {unit}, by the host", phases, "host", count),
            counts_table(summary, f"instructions a {unit}, the guest's core", phases, "guest_instructions", table.number),
            counts_table(summary, f"instructions a {unit}, the other core", phases, "host_instructions", table.number),
            speed]


def images_of(runs):
    """{work: {tool: [seconds]}}, each time."""
    rounds = [one for run in runs for one in run["images"]["rounds"]]
    return {work: {tool: [one[work][tool] for one in rounds] for tool in devices_images.TOOLS}
            for work in devices_images.WORK if rounds}


def speed_ratio(seconds, other):
    """nohype's speed to that tool's: of what was measured in one round, the median."""
    return statistics.median(theirs / ours for ours, theirs in zip(seconds["nohype"], seconds[other]))


def images_table(images):
    lines = []
    for work, seconds in images.items():
        mib = devices_images.WORK[work]
        lines.append([work] + [table.number(mib / statistics.median(seconds[tool])) for tool in devices_images.TOOLS] +
                     [f"{speed_ratio(seconds, tool):.2f}" for tool in devices_images.TOOLS[1:]])
    return table.markdown(["an image, MiB/s", *devices_images.TOOLS, "nohype / dd", "nohype / qemu-img"], lines)


def verdicts(summary, images):
    """Exits and instructions against each of the others, images against each of the tools."""
    lines = []
    ours = summary.get(BASE, {})
    for other in OTHERS:
        for phase, theirs in summary.get(other, {}).items():
            if phase not in ours:
                continue
            lines.append(table.verdict(f"{phase}: exits by the guest for each, at most {count(ours[phase]['most'])}, "
                                       f"{other} {count(theirs['guest'])}", ours[phase]["most"] == 0 < theirs["guest"]))
            lines.append(table.verdict(f"{phase}: instructions for each, "
                                       f"{table.ratio(ours[phase]['instructions'], theirs['instructions'])} of {other}'s, "
                                       "wanted at most 1", ours[phase]["instructions"] <= theirs["instructions"]))
    for work, seconds in images.items():
        if work == "nvme, write":
            continue  # nohype's has the reading back in it
        for tool in devices_images.TOOLS[1:]:
            found = speed_ratio(seconds, tool)
            lines.append(table.verdict(f"{work}: {found:.2f} of {tool}'s speed, wanted at least 1", found >= 1))
    return "\n".join(lines) + "\n"


def tripwire(runs):
    """Of the sealed guests, those that died of the CPUID that they were told to execute, after all else."""
    guests = [one for run in runs for one in run["devices"] if one["vmm"] == BASE]
    died = sum("end" in one for one in guests)
    return table.verdict(f"told to execute a CPUID in the end, {died} of {len(guests)} sealed guests died of it and of "
                         "nothing before", died == len(guests) > 0) + "\n"


def report(measured, reasons):
    """All of it, as Markdown."""
    runs = measured["runs"]
    summary = summarize(runs, [vmm["name"] for vmm in measured["vmms"]], reasons)
    images = images_of(runs)
    times = max((found["times"] for phases in summary.values() for found in phases.values()), default=0)
    parts = [f"Medians of {times} times in {len(runs)} run{'s' if len(runs) > 1 else ''} on an emulated host "
             f"({measured['host']}), guest: one vCPU, {measured['memory_mib']} MiB, Linux {measured['kernel']}.\n",
             "\n".join(f"- {vmm['name']}: {vmm['words']}" for vmm in measured["vmms"]) + "\n",
             "## Network: UDP, 64 bytes one after the other, or bursts of 64 datagrams of 1472\n",
             *part(summary, "packet", NETWORK)]
    for disk, words in (("memory", "The disk in memory"), ("nvme", "The NVMe disk")):
        parts += [f"## {words}: one block after the other, past the page cache, anywhere on it\n",
                  *part(summary, "block", tuple(f"{disk}, {work}" for work in DISK_WORK))]
    parts += ["## Images\n", images_table(images), CANNOT, "## What is promised\n", tripwire(runs) + verdicts(summary, images)]
    return "\n".join(parts)


def failures(runs):
    """What couldn't be measured."""
    found = [f"run {i + 1}: {one['vmm']}: {one['failed']}" for i, run in enumerate(runs) for one in run["devices"]
             if "failed" in one]
    return found + [f"run {i + 1}: images: {run['images']['failed']}" for i, run in enumerate(runs)
                    if "failed" in run["images"]]
