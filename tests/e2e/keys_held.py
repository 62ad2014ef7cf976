# SPDX-License-Identifier: GPL-2.0-only
"""For tests that seal many guests on an emulated host."""

import ctypes
import fcntl
import os
import struct
import sys

KVM_CREATE_VM = 0xAE01


def hold_keys():
    """A perf event and a VM of our own, for as long as this runs. With the first and after the last of each the kernel patches
    its scheduler's code (kernel/events/core.c, perf_sched_events; kernel/sched/core.c, preempt_notifier_inc()); an emulated
    CPU may run into the breakpoint that it puts there meanwhile when that is gone, and the host ends. The VM's descriptor."""
    attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 128, 9), 128)  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY
    if ctypes.CDLL(None, use_errno=True).syscall(298, attributes, 0, -1, -1, 8) < 0:  # perf_event_open, PERF_FLAG_FD_CLOEXEC
        sys.exit(f"perf_event_open: {os.strerror(ctypes.get_errno())}")
    kvm = os.open("/dev/kvm", os.O_RDWR)
    vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
    os.close(kvm)
    os.set_inheritable(vm, False)
    return vm
