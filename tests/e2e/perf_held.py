# SPDX-License-Identifier: GPL-2.0-only
"""For tests that seal many guests on an emulated host."""

import ctypes
import os
import struct
import sys


def hold_event():
    """A perf event of our own, for as long as this runs. With the first one of a host, and a second after the last, the
    kernel patches its scheduler's code (kernel/events/core.c, perf_sched_events); an emulated CPU may run into the
    breakpoint that it puts there meanwhile when that is gone, and the host ends (seen in runs of three and of a
    thousand guests)."""
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 9), 128)  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY
    if ctypes.CDLL(None, use_errno=True).syscall(298, attributes, 0, -1, -1, 8) < 0:  # perf_event_open, PERF_FLAG_FD_CLOEXEC
        sys.exit(f"perf_event_open: {os.strerror(ctypes.get_errno())}")
