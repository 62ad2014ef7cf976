# SPDX-License-Identifier: GPL-2.0-only
"""The same guest with a network card and two disks, one in memory and one on NVMe: as each VMM has them to give."""

import json
import os

import vmms

MEMORY_MIB = vmms.MEMORY_MIB
DISK_MIB = 64  # the one in memory
IMAGES = "/run/images"
NVME = "/dev/nvme0n1"
CMDLINE = "console=ttyS0 quiet nohype.do=devices nohype.ip={ip} nohype.peer={peer} nohype.disks={disks}"


class Nohype:
    qemu = False
    interface, peer, ip = "eth0", "10.0.2.15", "10.0.2.101"
    disks = "/dev/pmem0,/dev/nvme0n1"

    def __init__(self, name, words):
        self.name = name
        self.words = words

    def command(self, files, folder, _seconds, _more):
        config = os.path.join(folder, "vm.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(self.config(files), file)
        return [files["nohype"], "run", "--verbose", config]

    def config(self, files):
        return {"name": "bench", "kernel": files["vmlinux"], "initrd": files["initrd"], "cores": [vmms.CORE],
                "cmdline": CMDLINE.format(ip=self.ip, peer=self.peer, disks=self.disks),
                "memory": {"size": f"{MEMORY_MIB}M", "page_size": "2M"},
                "seal": {"level": "strict", "within": "5m", "except": {"eoi": True}},
                "functions": [{"network": {"pf": self.interface}}, {"nvme": {"controller": "nvme0"}}],
                "disks": [{"pmem": {"image": os.path.join(IMAGES, "memory.img")}}]}


class Qemu:
    qemu = True
    interface, peer, ip = "tap0", "10.0.3.1", "10.0.3.101"
    disks = "/dev/vda,/dev/vdb"

    def __init__(self, name, words, kernel="bzImage", machine="", backend="", options=(), cmdline=""):
        self.name = name
        self.words = words
        self.kernel = kernel
        self.machine = "microvm,accel=kvm,pcie=on,memory-backend=mem" + machine
        self.backend = vmms.BACKEND + backend
        self.options = list(options)
        self.cmdline = cmdline + CMDLINE.format(ip=self.ip, peer=self.peer, disks=self.disks)

    def devices(self):
        return ["-netdev", f"tap,id=net,ifname={self.interface},script=no,downscript=no,vhost=on",
                "-device", "virtio-net-pci,netdev=net,mac=52:54:00:00:03:65,romfile=",
                "-object", "iothread,id=io",
                "-blockdev", f"driver=file,node-name=memory,filename={IMAGES}/memory.img,aio=threads",
                "-device", "virtio-blk-pci,drive=memory,iothread=io",
                "-blockdev", f"driver=host_device,node-name=nvme,filename={NVME},cache.direct=on,aio=native",
                "-device", "virtio-blk-pci,drive=nvme,iothread=io"]

    def command(self, files, _folder, _seconds, _more):
        return ["qemu-system-x86_64", "-name", "bench,debug-threads=on", "-nodefaults", "-no-user-config",
                "-display", "none", "-serial", "stdio", "-machine", self.machine, "-cpu", "host",
                "-m", f"{MEMORY_MIB}M", "-object", self.backend, *self.options, *self.devices(),
                "-kernel", files[self.kernel], "-initrd", files["initrd"], "-append", self.cmdline]


VMMS = [
    Nohype("nohype", "sealed at level strict, with the exception eoi: a virtual function of the 82576 with igbvf, "
                     "the NVMe controller with nvme, persistent memory; 2 MiB pages"),
    Qemu("virtio", "QEMU's microvm as it is by default, -cpu host, with PCI: virtio-net with vhost=on on a tap, "
                   "virtio-blk on a file of a tmpfs and on the NVMe disk (cache.direct=on,aio=native), an I/O thread"),
    # Its kernel by PVH stands still at "ACPI: Core revision" on that machine with PCI; boots aren't measured here.
    Qemu("virtio quiet", "that without PIT and PIC, in 2 MiB pages, with cpu-pm=on, and its kernel told what nohype tells "
                         "its guests", machine=vmms.TUNED, backend=",hugetlb=on,hugetlbsize=2M",
         options=vmms.CPU_PM, cmdline=vmms.LIKE_NOHYPE),
]
