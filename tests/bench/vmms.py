# SPDX-License-Identifier: GPL-2.0-only
"""The VMMs that are compared: how each is started, and in words, as the output repeats them."""

import json
import os

PARTS = ["exits", "instructions"]
MEMORY_MIB = 256
CORE = 1  # the host's isolated CPU, which the vCPU gets under each of them

# The guest's own part is the same everywhere.
CMDLINE = "console=ttyS0 quiet rdinit=/bin/bench BENCH_SECONDS={seconds:g}"

# Added where instructions are counted, for all of them. QEMU 10.0.2 with -icount stood still in 2 of 3 boots of a guest
# that may halt without an exit (one was looked at: it went round in tcg_cpu_exec()), and in none that polls when idle.
NO_HALT = " idle=poll"

# What nohype tells its guests, less what is about its own ports, and the TSC's rate: KVM's clock gives that.
LIKE_NOHYPE = ("tsc=reliable clocksource=tsc no_timer_check lapic=notscdeadline highres=off nohz=off nowatchdog "
               "mce=off io_delay=none ")

# Guest memory is a memfd under QEMU too: so it can be told from QEMU's own, and the guest's page be read in it.
BACKEND = f"memory-backend-memfd,id=mem,share=on,size={MEMORY_MIB}M"

# Left on, as the boot takes longer without (both seen with QEMU 10.0.2): the option ROMs, for with x-option-roms=off
# the firmware copies kernel and initrd by port I/O instead of DMA; the RTC, which a stock kernel looks for for 5 s.
TUNED = ",pit=off,pic=off,rtc=on,isa-serial=on,auto-kernel-cmdline=off"


class Nohype:
    qemu = False

    def __init__(self, name, words, level="strict", kernel="vmlinux", parts=PARTS):
        self.name = name
        self.words = words
        self.level = level
        self.kernel = kernel
        self.parts = parts

    def command(self, files, folder, seconds, more=""):
        config = os.path.join(folder, "vm.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump(self.config(files, CMDLINE.format(seconds=seconds) + more), file)
        return [files["nohype"], "run", config]

    def config(self, files, cmdline):
        return {"name": "bench", "kernel": files[self.kernel], "initrd": files["initrd"], "cores": [CORE],
                "cmdline": cmdline,
                "memory": {"size": f"{MEMORY_MIB}M", "page_size": "2M"},
                "seal": {"level": self.level, "except": {"eoi": True}}}


class Qemu:
    qemu = True

    def __init__(self, name, words, kernel="bzImage", machine="", backend="", options=(), cmdline="", parts=PARTS):
        self.name = name
        self.words = words
        self.kernel = kernel
        self.machine = "microvm,accel=kvm,memory-backend=mem" + machine
        self.backend = BACKEND + backend
        self.options = list(options)
        self.cmdline = cmdline + CMDLINE
        self.parts = parts

    def command(self, files, _folder, seconds, more=""):
        return ["qemu-system-x86_64", "-name", "bench,debug-threads=on", "-nodefaults", "-no-user-config",
                "-display", "none", "-serial", "stdio", "-machine", self.machine, "-cpu", "host",
                "-m", f"{MEMORY_MIB}M", "-object", self.backend, *self.options,
                "-kernel", files[self.kernel], "-initrd", files["initrd"],
                "-append", self.cmdline.format(seconds=seconds) + more]


def tuned(name, words, **more):
    return Qemu(name, words, kernel="vmlinux", machine=TUNED, backend=",hugetlb=on,hugetlbsize=2M", **more)


CPU_PM = ["-overcommit", "cpu-pm=on"]

VMMS = [
    Nohype("nohype", "sealed at level strict, with the exception eoi; the kernel an ELF file by PVH, 2 MiB pages"),
    Nohype("nohype audit", "the same at level audit, which counts and ends nothing", level="audit", parts=["exits"]),
    Nohype("nohype bzImage", "the same from a bzImage, which unpacks itself in the guest", kernel="bzImage",
           parts=["instructions"]),
    Qemu("microvm", "QEMU's machine microvm as it is by default, -cpu host; a bzImage, 4 KiB pages"),
    tuned("microvm tuned", "without PIT, PIC and virtio; the kernel an ELF file by PVH, 2 MiB pages"),
    tuned("microvm cpu-pm", "tuned, and -overcommit cpu-pm=on: no exits of HLT, MWAIT and PAUSE", options=CPU_PM,
          parts=["exits"]),
    tuned("microvm quiet", "cpu-pm, and the guest's kernel told what nohype tells it: one periodic timer, TSC",
          options=CPU_PM, cmdline=LIKE_NOHYPE),
]
