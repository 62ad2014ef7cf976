# SPDX-License-Identifier: GPL-2.0-only
"""The medians as bars, in one SVG file that needs nothing else."""

from xml.sax.saxutils import escape

from result import PHASES
from table import millions, number

WIDTH = 860
LABEL = 150   # where bars begin
VALUE = 150   # what is kept free behind the longest
BAR = 16
GAP = 6
TITLE = 44    # above a panel's first bar
COLOURS = {"busy": "#3b6ea5", "idle": "#7aa6cf", "fork": "#1f4064", "one": "#3b6ea5", "ours": "#c8752d"}
FONT = "font-family='DejaVu Sans, Helvetica, Arial, sans-serif'"


def text(x, y, words, size=12, anchor="start", weight="normal"):
    return (f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' text-anchor='{anchor}' font-weight='{weight}' "
            f"fill='#222'>{escape(words)}</text>")


def bar(y, length, colour):
    return f"<rect x='{LABEL}' y='{y:.0f}' width='{max(length, 1):.1f}' height='{BAR}' fill='{colour}'/>"


def panel(top, title, groups):
    """groups: (label, [(value, its words, colour)]). The SVG, and where it ends."""
    longest = max((value for _, bars in groups for value, _, _ in bars), default=0) or 1
    out, y = [text(0, top + 24, title, 14, weight="bold")], top + TITLE
    for label, bars in groups:
        out.append(text(LABEL - 8, y + (BAR * len(bars)) / 2 + 4, label, anchor="end"))
        for value, words, colour in bars:
            length = value / longest * (WIDTH - LABEL - VALUE)
            out += [bar(y, length, colour), text(LABEL + length + 6, y + BAR - 4, words, 11)]
            y += BAR
        y += GAP
    return "\n".join(out), y


def legend(y):
    out = []
    for i, phase in enumerate(PHASES):
        x = LABEL + 130 * i
        out.append(f"<rect x='{x}' y='{y - 10}' width='10' height='10' fill='{COLOURS[phase]}'/>")
        out.append(text(x + 15, y, phase))
    return "\n".join(out)


def colour(name):
    return COLOURS["ours" if name.startswith("nohype") else "one"]


def exit_groups(summary):
    return [(name, [(found["phases"][phase]["guest"] + found["phases"][phase]["eoi"],
                     number(found["phases"][phase]["guest"] + found["phases"][phase]["eoi"]), COLOURS[phase])
                    for phase in PHASES])
            for name, found in summary.items() if "phases" in found]


def instruction_groups(summary):
    return [(name, [(found["instructions"]["to_init"], millions(found["instructions"]["to_init"]), colour(name))])
            for name, found in summary.items() if "instructions" in found]


def memory_groups(summary):
    return [(name, [(found["memory"]["private_kib"], number(found["memory"]["private_kib"]) + " KiB", colour(name))])
            for name, found in summary.items() if "memory" in found]


def plot(summary, caption):
    """An SVG document."""
    exits, end = panel(0, "Exits a second that the guest caused (late EOIs among them)", exit_groups(summary))
    key = legend(end + 12)
    instructions, end = panel(end + 24, "Instructions from launch to the guest's init", instruction_groups(summary))
    memory, end = panel(end + 8, "Private memory of the VMM's processes", memory_groups(summary))
    height = end + 24
    body = "\n".join([exits, key, instructions, memory, text(0, end + 14, caption, 11)])
    return (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='-12 0 {WIDTH + 24} {height:.0f}' width='{WIDTH + 24}' "
            f"height='{height:.0f}' {FONT}>\n<rect x='-12' width='100%' height='100%' fill='white'/>\n{body}\n</svg>\n")
