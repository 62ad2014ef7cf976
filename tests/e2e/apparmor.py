# SPDX-License-Identifier: GPL-2.0-only
"""Our AppArmor profiles on an emulated host, and what they refused."""

import os
import subprocess


def confine(programs, core_programs):
    """The profiles, for programs in those folders."""
    subprocess.run([f"{os.path.dirname(__file__)}/confine", programs, core_programs], check=True)


def label(task):
    """What a task is under."""
    with open(f"/proc/{task}/attr/apparmor/current", encoding="ascii") as file:
        return file.read().strip("\n\0")


def refusals():
    """As the kernel's log has them."""
    log = subprocess.run(["dmesg"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [line for line in log.splitlines() if 'apparmor="DENIED"' in line]
