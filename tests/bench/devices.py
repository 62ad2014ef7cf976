# SPDX-License-Identifier: GPL-2.0-only
"""Network cards and disks: a sealed guest's own functions beside QEMU's virtio, on an emulated host."""

import json
import os

import devices_vmms
import emulated
from emulated import HERE, ROOT, Failed, ask, found_at, make_small_guest

KERNEL = "6.12"
FLAGS = "-std=gnu11 -Wall -Wextra -Werror -Wshadow -O2 -s -D_GNU_SOURCE"
MODULES = "igbvf nvme libnvdimm nd_btt nd_e820 nd_pmem virtio_net virtio_blk"
ROUNDS = 2  # of each kind of work in one guest
SECONDS = 900  # on a busy machine; 200 else
# Memory that ends below 4 GiB: with more, the firmware puts the card's virtual functions above, where QEMU's are dead.
RIG_OPTIONS = ["--isolated", "1", "--mem", "2G", "--hugepages", "2M:200", "--instructions", "--timeout", str(SECONDS)]


def compile_one(build, compiler, name, output):
    ask(build, compiler, *FLAGS.split(), "-static" if compiler == "musl-gcc" else "-O2", "-I" + ROOT, "-o", output,
        os.path.join(HERE, name))
    return output


def make_files(build, folder):
    """What they run, by name."""
    ask(build, os.path.join(ROOT, "scripts/have"), "musl-gcc", "qemu-img")
    guest = compile_one(build, "musl-gcc", "devices_guest.c", os.path.join(folder, "devices-guest"))
    peer = compile_one(build, os.environ.get("CC") or "gcc", "devices_peer.c", os.path.join(folder, "devices-peer"))
    kernel = ask(build, os.path.join(ROOT, "examples/guests/kernel"), KERNEL)
    initrd = ask(build, os.path.join(ROOT, "examples/guests/initramfs"), "--kernel", kernel, "--modules", MODULES,
                 "--with", os.path.join(HERE, "devices-do") + ":/do/devices", "--with", guest + ":/bin/devices-guest",
                 "-o", os.path.join(folder, "devices.cpio"))
    return {"bzImage": os.path.join(kernel, "bzImage"), "vmlinux": os.path.join(kernel, "vmlinux"), "initrd": initrd,
            "nohype": os.path.join(build, "nohype"), "peer": peer,
            "power-off": make_small_guest(build, "tests/e2e/guests/power-off.S", os.path.join(folder, "power-off"))}


def run_once(build, folder):
    """One start of the emulated host."""
    output = found_at(folder, "devices.json")
    found, status = emulated.run(build, RIG_OPTIONS, output, os.path.join(HERE, "devices_run.py"), str(ROUNDS),
                                 os.path.join(folder, "devices-files.json"), found_at(folder, "instructions"), output)
    if found is None:
        raise Failed(f"devices: the emulated host: exit code {status}")
    return found


def run(build, folder, runs):
    """What was found, one a run."""
    with open(os.path.join(folder, "devices-files.json"), "w", encoding="utf-8") as file:
        json.dump(make_files(build, folder), file)
    found = []
    for number in range(runs):
        print(f"bench: run {number + 1} of {runs}", flush=True)
        found.append(run_once(build, folder))
    return found


def words():
    """What the output says of each VMM."""
    return [{"name": vmm.name, "words": vmm.words} for vmm in devices_vmms.VMMS]
