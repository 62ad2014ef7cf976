# SPDX-License-Identifier: GPL-2.0-only
"""The tables, as Markdown that also reads well on a terminal."""

from result import PHASES

PHASE_WORDS = {"busy": "a busy process", "idle": "an idle guest", "fork": "a process that allocates and forks"}


def markdown(head, rows):
    """Columns as wide as they must be; the first to the left, the others to the right."""
    cells = [head] + rows
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row):
        return "| " + " | ".join(text.ljust(width) if i == 0 else text.rjust(width)
                                 for i, (text, width) in enumerate(zip(row, widths))) + " |"
    rule = "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":"
                          for i, width in enumerate(widths)) + "|"
    return "\n".join([line(head), rule] + [line(row) for row in rows]) + "\n"


def number(value):
    """As many digits as say something."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def millions(count):
    return f"{count / 1e6:,.0f} M"


def ratio(value, base):
    return "-" if not base else f"{value / base:.2f}"


def with_part(summary, part):
    return [name for name in summary if part in summary[name]]


def exits_table(summary):
    rows = []
    for name in with_part(summary, "phases"):
        phases = [summary[name]["phases"][phase] for phase in PHASES]
        rows.append([name] + [number(phase["guest"]) for phase in phases] +
                    [number(phase["eoi"]) for phase in phases] + [number(summary[name]["boot_exits"])])
    return markdown(["the guest's exits a second"] + PHASES + [f"late EOI, {phase}" for phase in PHASES] +
                    ["all until ready"], rows)


def reasons_table(summary, phase, reasons):
    names = with_part(summary, "phases")
    rates = {name: summary[name]["phases"][phase]["reasons"] for name in names}
    seen = sorted({key for name in names for key, rate in rates[name].items() if rate},
                  key=lambda key: -max(rates[name].get(key, 0) for name in names))
    rows = []
    for key in seen:
        word, host = reasons.get(key, ("?", False))
        rows.append([f"{word} ({key:#x}, {'host' if host else 'guest'})"] +
                    [number(rates[name].get(key, 0)) for name in names])
    return markdown([PHASE_WORDS[phase]] + names, rows)


def proof_table(summary):
    """The guest's own counters: that it worked and that its clock ticked, while so few exits were counted."""
    rows = []
    for name in with_part(summary, "phases"):
        phases = summary[name]["phases"]
        rows.append([name] + [number(phases[phase]["work"]) for phase in PHASES] +
                    [number(phases[phase]["ticks"]) for phase in PHASES])
    return markdown(["a second, by the guest's counters", "rounds, busy", "naps, idle", "children, fork"] +
                    [f"ticks, {phase}" for phase in PHASES], rows)


def instructions_table(summary, base):
    rows = []
    first = summary.get(base, {}).get("instructions")
    for name in with_part(summary, "instructions"):
        found = summary[name]["instructions"]
        rows.append([name, millions(found["to_first"]), millions(found["to_init"]),
                     ratio(found["to_init"], first and first["to_init"])])
    return markdown(["instructions from launch", "to the guest's first", "to its init", f"/ {base}"], rows)


def memory_table(summary, base):
    rows = []
    first = summary.get(base, {}).get("memory")
    for name in with_part(summary, "memory"):
        found = summary[name]["memory"]
        rows.append([name, number(found["private_kib"]), ratio(found["private_kib"], first and first["private_kib"]),
                     number(found["dirty_kib"]), ratio(found["dirty_kib"], first and first["dirty_kib"])])
    return markdown(["private memory", "KiB", f"/ {base}", "of it written, KiB", f"/ {base}"], rows)


def verdict(words, held):
    return f"- {words}: {'held' if held else 'NOT held'}"


def verdicts(summary, base="nohype", others=("microvm", "microvm tuned", "microvm cpu-pm")):
    """What issue and README promise, each against the default and the tuned ones."""
    lines = []
    ours = summary.get(base, {})
    for name in others:
        theirs = summary.get(name, {})
        if "phases" in ours and "phases" in theirs:
            mine, other = ours["phases"]["busy"], theirs["phases"]["busy"]
            lines.append(verdict(f"busy, exits a second that the guest caused: {number(mine['guest'])} "
                                 f"(and {number(mine['eoi'])} late EOIs), {name} {number(other['guest'])}",
                                 mine["guest"] == 0 < other["guest"]))
        if "instructions" in ours and "instructions" in theirs:
            mine, other = ours["instructions"]["to_init"], theirs["instructions"]["to_init"]
            lines.append(verdict(f"instructions from launch to init: {ratio(mine, other)} of {name}'s, wanted at most "
                                 "1", mine <= other))
        if "memory" in ours and "memory" in theirs:
            mine, other = ours["memory"]["private_kib"], theirs["memory"]["private_kib"]
            lines.append(verdict(f"private memory: {ratio(mine, other)} of {name}'s, wanted at most 0.1",
                                 mine <= other / 10))
    return "\n".join(lines) + "\n"


def runs_words(count):
    return "One run" if count == 1 else f"Medians of {count} runs"


def report(result, summary, reasons):
    """All of it, as Markdown."""
    base = "nohype"
    parts = [f"{runs_words(len(result['runs']))} on an emulated host ({result['host']}), guest: one vCPU, "
             f"{result['memory_mib']} MiB, Linux {result['kernel']}. Times mean nothing there; counts and ratios do.\n",
             "\n".join(f"- {vmm['name']}: {vmm['words']}" for vmm in result["vmms"]) + "\n", exits_table(summary)]
    parts += [reasons_table(summary, phase, reasons) for phase in PHASES]
    parts += [proof_table(summary), instructions_table(summary, base), memory_table(summary, base), verdicts(summary)]
    return "\n".join(parts)
