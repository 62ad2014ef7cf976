#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a VM that has ended must not leave on its host: usage: leftovers.py save FILE | compare FILE."""

import contextlib
import fcntl
import json
import os
import struct
import sys

PF_KTHREAD = 0x00200000  # include/linux/sched.h
FOLDERS = ("/tmp", "/var/tmp", "/run", "/dev")
CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
F_OFD_GETLK = 36  # include/uapi/asm-generic/fcntl.h
HUGEPAGES = "/sys/kernel/mm/hugepages"
KVM = "/sys/kernel/debug/kvm"
SHMEM_SLACK = 8 << 10  # KiB: files of the host's own come and go in its tmpfs


def read(path):
    with open(path, errors="replace", encoding="utf-8") as file:
        return file.read()


def user_processes():
    """Their names, by their numbers: all but the kernel's own threads, which are most, and have no namespaces of their own."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            before, _, after = read(f"/proc/{pid}/stat").rpartition(")")
            if not int(after.split()[6]) & PF_KTHREAD:
                found[int(pid)] = before.partition("(")[2]
    return found


def processes(users):
    """All but whoever looks."""
    return {f"{pid} {name}" for pid, name in users.items() if pid != os.getpid()}


def namespaces(users):
    found = set()
    for pid in users:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/ns"):
                found.add(os.readlink(f"/proc/{pid}/ns/{name}"))
    return found


def is_dead_claim(path):
    """Files of claims stay when their holder was killed, and the lock for turns does always: what nobody has locked is
    nobody's, and no start is refused for it."""
    if os.path.basename(os.path.dirname(path)) != "claims":
        return False
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        # struct flock: type, whence, start, len, pid
        answer = fcntl.fcntl(file, F_OFD_GETLK, struct.pack("hhlli4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        return struct.unpack_from("h", answer)[0] == fcntl.F_UNLCK
    return True


def files():
    out = os.environ.get("OUT", "/nowhere")
    found = set()
    for folder in FOLDERS:
        for above, folders, names in os.walk(folder):
            # The checkout may be in one of them: mounted again, and no temporary file.
            folders[:] = [name for name in folders if os.path.join(above, name) != CHECKOUT]
            if not above.startswith(out):
                paths = (os.path.join(above, name) for name in names)
                found.update(path for path in paths if not is_dead_claim(path))
    return found


def hugepages():
    found = set()
    for size in os.listdir(HUGEPAGES):
        for name in ("nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages"):
            number = read(f"{HUGEPAGES}/{size}/{name}").strip()
            found.add(f"{size} {name} {number}")
    return found


def virtual_machines():
    """The kernel's own list: a folder a VM, PID-FD."""
    return {name for name in os.listdir(KVM) if os.path.isdir(f"{KVM}/{name}")} if os.path.isdir(KVM) else set()


def sockets():
    return {line.split()[7] for line in read("/proc/net/unix").splitlines()[1:] if len(line.split()) > 7}


def shmem():
    return int(next(line for line in read("/proc/meminfo").splitlines() if line.startswith("Shmem:")).split()[1])


def snapshot():
    users = user_processes()
    return {
        "process": sorted(processes(users)),
        "namespace": sorted(namespaces(users)),
        "mount": sorted(read("/proc/self/mountinfo").splitlines()),
        "huge pages": sorted(hugepages()),
        "VM": sorted(virtual_machines()),
        "socket": sorted(sockets()),
        "file": sorted(files()),
        "shmem": shmem(),
    }


def differences(before, after):
    """One line for each thing that has come or gone."""
    lines = []
    for kind, was in before.items():
        if kind == "shmem":
            if after[kind] > was + SHMEM_SLACK:
                lines.append(f"shmem: {was} KiB before, {after[kind]} KiB after")
            continue
        lines += [f"new {kind}: {item}" for item in sorted(set(after[kind]) - set(was))]
        lines += [f"gone {kind}: {item}" for item in sorted(set(was) - set(after[kind]))]
    return lines


def main():
    if sys.argv[1] == "save":
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump(snapshot(), file)
        return
    with open(sys.argv[2], encoding="utf-8") as file:
        print("\n".join(differences(json.load(file), snapshot())))


if __name__ == "__main__":
    main()
