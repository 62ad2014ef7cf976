# SPDX-License-Identifier: GPL-2.0-only
"""What became of a guest's memory, seen by who holds it too."""

import contextlib
import mmap
import os

ZEROS = bytes(1 << 20)  # a divisor of what is looked at


class Memory:
    """What the guest had, held by one more fd: the guest's memory and its rings'."""

    def __init__(self, supervisor):
        self.fds = []
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{supervisor}/fd"):
                path = f"/proc/{supervisor}/fd/{number}"
                if "nohype-guest" in os.readlink(path):
                    self.fds.append(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        self.fds.sort(key=lambda fd: -os.fstat(fd).st_size)

    def word(self, at, value=None):
        with mmap.mmap(self.fds[0], 2 << 20) as memory:
            if value is not None:
                memory[at:at + 4] = value.to_bytes(4, "little")
            return int.from_bytes(memory[at:at + 4], "little")

    def dirty(self):
        """Which of them aren't all zero: their sizes in MiB."""
        found = []
        for fd in self.fds:
            size = os.fstat(fd).st_size
            with mmap.mmap(fd, size, access=mmap.ACCESS_READ) as memory:
                if any(memory[at:at + len(ZEROS)] != ZEROS for at in range(0, size, len(ZEROS))):
                    found.append(size >> 20)
        return found

    def close(self):
        while self.fds:
            os.close(self.fds.pop())
