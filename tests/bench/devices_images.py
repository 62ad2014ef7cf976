# SPDX-License-Identifier: GPL-2.0-only
"""Images onto disks and off them, on the emulated host: by nohype, dd and qemu-img, one after the other in each round.

The image of the disk in memory lies on an ext4 on the NVMe disk, that of the NVMe disk itself in memory. Its content is
random: nothing of it is left out as zero.
"""

import json
import os
import subprocess
import time

import devices_vmms
import vmms

FOLDER = devices_vmms.IMAGES
MOUNTED = "/run/mounted"
NVME = devices_vmms.NVME
MEMORY_MIB, NVME_MIB = 64, 128
MEMORY_IMAGE = os.path.join(MOUNTED, "image")
NVME_IMAGE = os.path.join(FOLDER, "image")
COPY = os.path.join(FOLDER, "copy")
WORK = {"memory, load": MEMORY_MIB, "memory, save": MEMORY_MIB, "nvme, write": NVME_MIB,
        "nvme, write and read back": NVME_MIB, "nvme, save": NVME_MIB}
TOOLS = ["nohype", "dd", "qemu-img"]


class Failed(Exception):
    pass


def run(*command):
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if answer.returncode:
        raise Failed(f"{' '.join(command)}: exit code {answer.returncode}: {answer.stdout.strip()[-300:]}")


def seconds_of(*commands):
    """Of commands, one after the other, each with nothing in the page cache."""
    seconds = 0
    for command in commands:
        run("sync")
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3")
        begun = time.monotonic()
        run(*command)
        seconds += time.monotonic() - begun
    return seconds


def make_image(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1 << 20))


def remove(*paths):
    for path in paths:
        if os.path.exists(path):
            os.unlink(path)


def nohype(files, what):
    """A VM with such a disk, whose guest powers off at once: of its report what is told of that disk."""
    folder = os.path.join(FOLDER, "vm")
    os.makedirs(folder, exist_ok=True)
    config, report = os.path.join(folder, "vm.json"), os.path.join(folder, "report.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(dict({"name": "images", "kernel": files["power-off"], "cores": [vmms.CORE], "report": report,
                        "memory": {"size": "64M", "page_size": "2M"}, "seal": {"level": "strict"}}, **what), file)
    seconds_of(["true"])
    run(files["nohype"], "run", config)
    with open(report, encoding="utf-8") as file:
        disk = json.load(file)["disks"][0]
    if disk["save"] != "saved":
        raise Failed(f"nohype: the disk's save: {disk['save']}")
    return disk


def dd(source, target, *more):
    return ["dd", f"if={source}", f"of={target}", "bs=1M", "status=none", *more]


def convert(source, target, *more):
    return ["qemu-img", "convert", "-f", "raw", "-O", "raw", *more, source, target]


def memory_round(files):
    """What is loaded goes from the disk to memory, what is saved from there to a new file, and onto the disk."""
    saved = os.path.join(MOUNTED, "saved")
    disk = nohype(files, {"disks": [{"pmem": {"image": MEMORY_IMAGE, "save": saved}}]})
    load, save = {"nohype": disk["load_seconds"]}, {"nohype": disk["saved"]["seconds"]}
    run("cmp", MEMORY_IMAGE, saved)
    remove(saved)
    load["dd"] = seconds_of(dd(MEMORY_IMAGE, COPY, "iflag=direct"))
    save["dd"] = seconds_of(dd(COPY, saved, "oflag=direct", "conv=fsync"))
    remove(saved, COPY)
    load["qemu-img"] = seconds_of(convert(MEMORY_IMAGE, COPY, "-T", "none"))
    save["qemu-img"] = seconds_of(convert(COPY, saved, "-t", "none"))
    remove(saved, COPY)
    return {"memory, load": load, "memory, save": save}


def nvme_round(files):
    """nohype reads back what it wrote. For dd and qemu-img what is read back is dd's, and compared."""
    saved = os.path.join(FOLDER, "saved")
    disk = nohype(files, {"functions": [{"nvme": {"controller": "nvme0", "image": NVME_IMAGE, "save": saved}}]})
    back, save = {"nohype": disk["load_seconds"]}, {"nohype": disk["saved"]["seconds"]}
    write = dict(back)
    run("cmp", "-n", str(NVME_MIB << 20), NVME_IMAGE, saved)
    remove(saved)
    wait_for_nvme()
    whole = f"count={NVME_MIB}"
    again = [dd(NVME, COPY, "iflag=direct", whole), ["cmp", COPY, NVME_IMAGE]]
    for tool, command in (("dd", dd(NVME_IMAGE, NVME, "oflag=direct")),
                          ("qemu-img", convert(NVME_IMAGE, NVME, "-n", "-t", "none"))):
        write[tool] = seconds_of(command)
        back[tool] = write[tool] + seconds_of(*again)
        remove(COPY)
    # nohype saves all of the disk, and what is zero of it becomes a hole
    save["dd"] = seconds_of(dd(NVME, saved, "iflag=direct", "conv=sparse"))
    remove(saved)
    save["qemu-img"] = seconds_of(convert(NVME, saved, "-T", "none"))
    remove(saved)
    return {"nvme, write": write, "nvme, write and read back": back, "nvme, save": save}


def wait_for_nvme():
    latest = time.monotonic() + 60
    while not os.path.exists(NVME):
        if time.monotonic() > latest:
            raise Failed(f"{NVME} doesn't come back")
        time.sleep(0.1)


def measure_rounds(files, rounds):
    found = []
    wait_for_nvme()
    run("blkdiscard", "-f", "-z", NVME)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", NVME)
    os.makedirs(MOUNTED, exist_ok=True)
    run("mount", NVME, MOUNTED)
    try:
        make_image(MEMORY_IMAGE, MEMORY_MIB)
        found = [memory_round(files) for _ in range(rounds)]
    finally:
        run("umount", MOUNTED)
    run("blkdiscard", "-f", "-z", NVME)
    make_image(NVME_IMAGE, NVME_MIB)
    return [dict(one, **nvme_round(files)) for one in found]


def measure(files, rounds):
    """{"rounds": [{work: {tool: seconds}}]} and, where it couldn't be measured, "failed"."""
    try:
        return {"rounds": measure_rounds(files, rounds)}
    except Failed as error:
        return {"rounds": [], "failed": str(error)}
