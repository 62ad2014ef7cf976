# SPDX-License-Identifier: GPL-2.0-only
"""The guest's own counters, in one page of its memory: struct page of tests/bench/guest.c."""

import mmap
import os
import struct

MAGIC = (0x6e6f687970652062, 0x656e636820706167)
PHASES = ["before", "busy", "idle", "fork", "done"]
RECORD = ["start_ns", "end_ns", "start_ticks", "end_ticks", "work"]
PAGE = 4096
CHUNK = 2 << 20  # a huge page, which is what can be mapped of a file of those


def guest_memory(pids, size):
    """An open file: the memfd of that size among what these processes have open; None if there is none."""
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        for number in os.listdir(folder):
            path = os.path.join(folder, number)
            if os.readlink(path).startswith("/memfd:") and os.stat(path).st_size == size:
                return open(path, "rb", buffering=0)
    return None


class GuestPage:
    """The page of that number, as it is at each look. ValueError: it is another."""

    def __init__(self, memory, number):
        start = number * PAGE // CHUNK * CHUNK
        self.view = mmap.mmap(memory.fileno(), CHUNK, prot=mmap.PROT_READ, offset=start)
        self.at = number * PAGE - start
        if self.words(0, 2) != MAGIC:
            raise ValueError(f"page {number:#x} isn't the guest's")

    def words(self, first, count):
        return struct.unpack_from(f"<{count}Q", self.view, self.at + 8 * first)

    def phase(self):
        return PHASES[self.words(2, 1)[0]]

    def record(self, phase):
        first = 3 + len(RECORD) * PHASES.index(phase)
        return dict(zip(RECORD, self.words(first, len(RECORD))))
