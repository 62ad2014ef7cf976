# SPDX-License-Identifier: GPL-2.0-only
"""The emulated host: its kernel, its command line, its devices."""

import os
import shlex
import shutil
import subprocess

QEMU = "qemu-system-x86_64"
HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD") or os.path.join(ROOT, "build"))

# An EPYC without what QEMU's software emulation doesn't have: it would say so, a line each and CPU.
CPU = "EPYC-v4,+svm,+npt,+x2apic," + ",".join("-" + feature for feature in (
    "fxsr-opt", "misalignsse", "osvw", "topoext", "perfctr-core", "clzero", "ibpb", "nrip-save", "xsavec", "xsaves"))

# tsc=reliable: or the clock source watchdog, itself emulated, may throw the TSC out, and nohz_full with it.
# no_timer_check: on a busy machine the timer's first ticks come too late for that check, which panics.
# init_on_alloc=0, cryptomgr.notests=1, rodata=off (and no look at each page's rights), and no entropy from jitter, of
# which nobody asks for any: each takes its part of a boot, emulated as it is.
KERNEL_ARGS = ("console=ttyS0 panic=-1 oops=panic tsc=reliable no_timer_check nowatchdog nosoftlockup mitigations=off "
               "init_on_alloc=0 cryptomgr.notests=1 rodata=off initcall_blacklist=jent_mod_init intel_iommu=on iommu=pt "
               "net.ifnames=0")

# Ports of the one virtio-serial device, as tests/rig/run-command knows them. 0 can only be a terminal.
PORTS = {"terminal": 0, "out": 1, "err": 2, "control": 3}


def kernel(version):
    """Folder of a kernel, its ELF file, which has nothing to unpack at boot, and its initramfs: made where they aren't there."""
    def ask(*command):
        answer = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True,
                                env=dict(os.environ, BUILD=BUILD))
        if answer.returncode:
            raise SystemExit(125)
        return answer.stdout.strip()
    folder = ask(os.path.join(ROOT, "scripts/fetch-kernel"), version)
    elf = os.path.join(BUILD, "rig", "vmlinux", os.path.basename(folder))
    if not os.path.exists(elf):
        os.makedirs(os.path.dirname(elf), exist_ok=True)
        ask(os.path.join(ROOT, "examples/guests/vmlinux"), os.path.join(folder, "vmlinuz"), elf)
    return folder, elf, ask(os.path.join(HERE, "initramfs"), folder)


def ranges(cpus):
    return ",".join(str(cpu) for cpu in sorted(cpus))


def kernel_args(options):
    args = [KERNEL_ARGS]
    if options.isolated:
        cpus = ranges(options.isolated)
        others = ranges(set(range(options.cpus)) - options.isolated)
        args.append(f"isolcpus=nohz,domain,managed_irq,{cpus} nohz_full={cpus} rcu_nocbs={cpus} irqaffinity={others}")
    for size, count in options.hugepages:
        args.append(f"hugepagesz={size}M hugepages={count}")
    if options.icount:
        # VFIO refuses devices where interrupts aren't remapped, unless told.
        args.append("vfio_iommu_type1.allow_unsafe_interrupts=1")
    if not options.devices:
        args.append("rig.devices=no")
    return " ".join(args + options.append)


def settings(options, folder):
    """What init reads: shell variables, and COMMAND as a script."""
    size = os.get_terminal_size() if options.shell else os.terminal_size((80, 24))
    values = {
        "out": options.out or "",
        "stdin": "/run/rig/asked/stdin" if options.stdin else "/dev/null",
        "terminal": "yes" if options.shell else "no",
        "systemd": "yes" if options.systemd else "no",
        "hold": built("hold", "", "-static") if options.hold else "",
        "rows": size.lines,
        "columns": size.columns,
        "hugepages": " ".join(f"{size * 1024}:{count}" for size, count in options.hugepages),
    }
    write(folder, "settings", "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items()))
    environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root",
        "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=" + os.environ.get("TERM", "dumb")] + options.env
    words = ["env", "-i", "--"] + environment + options.command
    write(folder, "command", f"cd {shlex.quote(os.getcwd())} || exit 125\nexec {shlex.join(words)}\n")


def keep_stdin(folder):
    """The caller's standard input, whole: a port has no end of file that is sure to come after the last byte."""
    with open(os.path.join(folder, "stdin"), "wb") as file, open(0, "rb", closefd=False) as stdin:
        shutil.copyfileobj(stdin, file)


def write(folder, name, text):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(os.fsencode(text))


def share(tag, path, readonly=True):
    path = path.replace(",", ",,")
    access = ",readonly=on" if readonly else ""
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{access}",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def ports(sockets):
    args = ["-device", "virtio-serial-pci"]
    for name, socket in sockets.items():
        kind = "virtconsole" if name == "terminal" else "virtserialport"
        args += ["-chardev", f"socket,id={name},fd={socket.fileno()}",
                 "-device", f"{kind},chardev={name},nr={PORTS[name]}"]
    return args


def network_and_disk(folder):
    """Both with SR-IOV. The NVMe controller's spare queues and vectors are for its functions."""
    disk = os.path.join(folder, "nvme")
    with open(disk, "wb") as file:
        file.truncate(256 << 20)
    return ["-netdev", "user,id=net", "-device", "pcie-root-port,id=port1,chassis=1",
            "-device", "igb,bus=port1,netdev=net,romfile=",
            "-device", "pcie-root-port,id=port2,chassis=2", "-device", "nvme-subsys,id=subsystem,nqn=rig",
            "-device", "nvme,serial=rig,id=nvme,subsys=subsystem,bus=port2,sriov_max_vfs=2,sriov_vq_flexible=4,"
                       "sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5",
            "-drive", "if=none,id=disk,format=raw,cache=unsafe,file=" + disk.replace(",", ",,"),
            "-device", "nvme-ns,drive=disk,bus=nvme,nsid=1,shared=on"]


def own_disk(options):
    if not options.disk:
        return []
    return ["-drive", "if=none,id=own,format=raw,file=" + options.disk.replace(",", ",,"), "-device", "virtio-blk-pci,drive=own"]


def numa(options):
    """Each node has its memory and its share of the CPUs, which stand side by side."""
    args, count = [], len(options.numa)
    for node, size in enumerate(options.numa):
        first, last = options.cpus * node // count, options.cpus * (node + 1) // count - 1
        memory = ""
        if size:
            args += ["-object", f"memory-backend-ram,id=node{node},size={size}M"]
            memory = f",memdev=node{node}"
        args += ["-numa", f"node,nodeid={node},cpus={first}-{last}{memory}"]
    return args


def built(name, suffix, *flags):
    """Of a source beside this file, built where it isn't yet."""
    source, made = os.path.join(HERE, name + ".c"), os.path.join(BUILD, "rig", name + suffix)
    if not os.path.exists(made) or os.path.getmtime(made) < os.path.getmtime(source):
        fresh = f"{made}.{os.getpid()}"
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", *flags, "-o", fresh, source], check=True)
        os.rename(fresh, made)
    return made


def library(name, *more):
    return built(name, ".so", "-shared", "-fPIC", *more)


def environment(options):
    """QEMU's. With --slow its clock is another: tests/rig/slow.c."""
    if options.slow == 1:
        return None
    return dict(os.environ, LD_PRELOAD=library("slow"), SLOW=str(options.slow))


def plugin(options):
    """With --instructions: tests/rig/count.c."""
    if not options.instructions:
        return []
    counts = os.path.join(options.out, "instructions").replace(",", ",,")
    return ["-plugin", f"{library('count', '-fvisibility=hidden', '-pthread')},out={counts}"]


def command_line(options, folder, log, sockets):
    """All of QEMU's arguments. folder is this run's own; sockets are QEMU's ends."""
    unpacked, elf, initramfs = kernel(options.kernel)
    release = os.path.join(unpacked, "modules")
    asked = os.path.join(folder, "asked")
    os.mkdir(asked)
    settings(options, asked)
    if options.stdin:
        keep_stdin(asked)
    # Interrupt remapping doesn't go with the instruction clock ("Bad icount read").
    remap = "intremap=off,caching-mode=on" if options.icount else "intremap=on,caching-mode=on,eim=on"
    # Code that is patched while it is translated stays as it was for a moment (hold.c); one thread does one or the other.
    one = options.icount or not options.hold
    clock = ["-accel", "tcg,thread=" + ("single" if one else "multi")] + (["-icount", "shift=0"] if options.icount else [])
    args = [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-machine", "q35,kernel-irqchip=split", "-cpu", CPU,
            "-smp", f"{options.cpus},sockets=1,cores={options.cpus},threads=1", "-m", f"{options.mem}M",
            "-device", f"intel-iommu,{remap}",
            "-kernel", elf, "-initrd", initramfs, "-append", kernel_args(options),
            "-chardev", "file,id=log,path=" + log.replace(",", ",,"), "-serial", "chardev:log"]
    args += clock + plugin(options) + numa(options)
    # First, so that it is virtio0: Linux names the ports after it, /dev/vport0p1.
    args += ports(sockets)
    args += share("root", "/") + share("modules", os.path.realpath(release)) + share("asked", asked)
    if options.out:
        args += share("out", options.out, readonly=False)
    return args + own_disk(options) + (network_and_disk(folder) if options.devices else [])
