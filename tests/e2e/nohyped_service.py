# SPDX-License-Identifier: GPL-2.0-only
"""nohyped as systemd's service on an emulated host, for tests that run VMs under it."""

import json
import os
import subprocess
import sys

from waiting import PROGRAM, wait_for

OUT = os.environ["OUT"]
NOHYPED = "nohyped.service"


def run(*words):
    """Exit status, and what it printed."""
    found = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
    return found.returncode, found.stdout


def asked(*words):
    """The object that a command of nohype's prints with --json."""
    status, text = run("nohype", words[0], "--json", *words[1:])
    if status:
        sys.exit(f"{PROGRAM}: nohype {' '.join(words)}: exit code {status}")
    return json.loads(text)


def unit(name, *properties):
    lines = run("systemctl", "show", "-p", ",".join(properties), name)[1].splitlines()
    values = dict(line.split("=", 1) for line in lines)
    return [values.get(key, "") for key in properties]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main_pid():
    return int(unit(NOHYPED, "MainPID")[0])


def another(pid):
    """nohyped as another process, that has said it is ready."""
    return wait_for("another nohyped", lambda: main_pid() not in (0, pid) and unit(NOHYPED, "ActiveState") == ["active"])


def install(tree, *settings):
    """What is installed in TREE, here; its unit with those settings too, and messages of nohyped in $OUT/nohyped.log."""
    subprocess.run(["mount", "--bind", f"{tree}/usr/local", "/usr/local"], check=True)
    subprocess.run(["systemd-sysusers", "/usr/local/lib/sysusers.d/nohype.conf"], check=True)
    write(f"/run/systemd/system/{NOHYPED}.d/test.conf", "\n".join(["[Service]", f"StandardError=append:{OUT}/nohyped.log", *settings, ""]))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
