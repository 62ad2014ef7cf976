# SPDX-License-Identifier: GPL-2.0-only
"""What tests that look at running VMs do again and again."""

import os
import sys
import time

PROGRAM = os.path.basename(sys.argv[0])


def say(what, *found):
    """A line of findings, which a .bats file reads."""
    print(what, *found, sep="|", flush=True)


def wait_for(what, look, patience=120, pause=0.1):
    """What look() returns, as soon as that is anything; looked for every @pause seconds, @patience in all."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(pause)
    sys.exit(f"{PROGRAM}: waited in vain for {what}")
