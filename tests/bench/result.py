# SPDX-License-Identifier: GPL-2.0-only
"""What several runs come to: medians, and whose exits they were."""

import re
import statistics

PHASES = ["busy", "idle", "fork"]


def parse_reasons(text, vendor="AMD SVM"):
    """{number: (name, is the host's)} from what `nohype explain exits` prints of that vendor."""
    part = re.split(r"^(?=\S)", text, flags=re.M)
    lines = next(section for section in part if section.startswith(vendor)).splitlines()[1:]
    found = {}
    for line in lines:
        match = re.match(r"  0x([0-9a-f]+)\s+(.*?)\s+(passes|ends it)\s", line)
        if match:
            found[int(match[1], 16)] = (match[2], match[3] == "passes")
    return found


def counted_by(counts, reasons, host):
    """A reason that isn't listed is the guest's."""
    return sum(count for number, count in counts.items() if reasons.get(int(number), ("", False))[1] == host)


def rates(phase, reasons):
    """A second: the guest's exits but late EOIs, those, the host's; and each reason's."""
    seconds = phase["seconds"]
    return {"guest": (counted_by(phase["reasons"], reasons, False) - phase["eoi"]) / seconds,
            "eoi": phase["eoi"] / seconds, "host": counted_by(phase["reasons"], reasons, True) / seconds,
            "work": phase["work"] / seconds, "ticks": phase["ticks_per_second"],
            "reasons": {int(number): count / seconds for number, count in phase["reasons"].items()}}


def of_vmm(runs, part, name):
    """This VMM's results, one a run, but those that failed."""
    return [one for run in runs for one in run.get(part, []) if one["vmm"] == name and "failed" not in one]


def median_of_dicts(dicts):
    """Number by number; what is missing in one is 0 there."""
    keys = {key for one in dicts for key in one}
    return {key: statistics.median(one.get(key, 0) for one in dicts) for key in keys}


def phase_medians(results, phase, reasons):
    each = [rates(one["phases"][phase], reasons) for one in results]
    by_reason = median_of_dicts([one.pop("reasons") for one in each])
    return dict(median_of_dicts(each), reasons=by_reason)


def memory_medians(results):
    totals = [{key: sum(process[key] for process in one["memory"]) for key in ("private_kib", "dirty_kib")}
              for one in results]
    return median_of_dicts(totals)


def summarize(runs, names, reasons):
    """{VMM: what is known of it}: phases, boot, memory; instructions. Where all runs failed a part isn't there."""
    summary = {}
    for name in names:
        summary[name] = found = {}
        work, boots = of_vmm(runs, "exits", name), of_vmm(runs, "instructions", name)
        if work:
            found["phases"] = {phase: phase_medians(work, phase, reasons) for phase in PHASES}
            found["boot_exits"] = statistics.median(sum(one["boot"]["reasons"].values()) for one in work)
            found["memory"] = memory_medians(work)
        if boots:
            found["instructions"] = median_of_dicts([{key: one[key] for key in ("to_first", "to_init")}
                                                     for one in boots])
    return summary


def failures(runs):
    return [f"run {i + 1}, {part}: {one['vmm']}: {one['failed']}" for i, run in enumerate(runs)
            for part, results in run.items() for one in results if "failed" in one]
