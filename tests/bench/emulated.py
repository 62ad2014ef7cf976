# SPDX-License-Identifier: GPL-2.0-only
"""What the parts of the bench share that run something on an emulated host."""

import json
import os
import shlex
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Failed(Exception):
    pass


def ask(build, *command):
    """What a command prints."""
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=dict(os.environ, BUILD=build))
    if answer.returncode:
        raise Failed(f"{shlex.join(command)}: exit code {answer.returncode}")
    return answer.stdout.strip()


def make_small_guest(build, source, output):
    """One of a few instructions, as tests/e2e/lib.bash makes them."""
    ask(build, os.environ.get("CC") or "gcc", "-nostdlib", "-static", "-no-pie", "-I" + ROOT, "-o", output,
        os.path.join(ROOT, source), "-Wl,--build-id=none,-z,noseparate-code,-Ttext-segment=0x1000000,-e,start")
    return output


def found_at(folder, name):
    """A file that is written on an emulated host, and stays."""
    return os.path.join(folder, "found", name)


def run(build, options, output, *command):
    """One start of the emulated host, with @command on it, which writes @output (found_at). What it found, or None; and the
    rig's status."""
    rig = shlex.split(os.environ.get("RIG") or os.path.join(HERE, "../rig/rig"))
    found = os.path.dirname(output)
    os.makedirs(found, exist_ok=True)
    if os.path.exists(output):
        os.unlink(output)
    status = subprocess.run([*rig, *options, "--out", found, "--", *command], check=False,
                            env=dict(os.environ, BUILD=build)).returncode
    if status or not os.path.exists(output):
        return None, status
    with open(output, encoding="utf-8") as file:
        return json.load(file), status
