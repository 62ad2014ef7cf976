/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CORE_HANDOFF_H
#define VMM_CORE_HANDOFF_H

#include <stdint.h>

#include "devices/pci.h"
#include "memmap/memmap.h"
#include "vmm/boot/boot.h"
#include "vmm/config/config.h"

/*
 * The handoff: the one message with file descriptors that makes a core manager, and the events that it sends back.
 * Both cross a privilege boundary, so both are flat, versioned and of fixed size; whoever receives one copies it,
 * checks all of it, and then uses the copy. The supervisor takes the core manager for hostile: a guest may have won it.
 */
#define HANDOFF_MAGIC	0x65707968 /* "hype" */
#define HANDOFF_VERSION 5
#define EVENT_FDS_MAX	2

/* The core manager is executed with one fd, the supervisor's socket (SOCK_SEQPACKET), at this number. */
#define HANDOFF_SOCKET 3

/* The fds that come with the message, in this order. */
enum handoff_fd {
	HANDOFF_FD_KVM,
	HANDOFF_FD_MEMORY,
	HANDOFF_FD_CONSOLE, /* stream socket: the serial port's bytes, both ways */
	HANDOFF_FD_RINGS,   /* only with handoff.rings */
	HANDOFF_FDS,
};

struct handoff {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of this struct */
	uint32_t supervisor_pid;
	uint32_t uid; /* to become, and gid; 0: stay who we are (a plain user's VM) */
	uint32_t vcpus;
	uint32_t tsc_khz;
	uint32_t seal_level;	/* enum seal_level */
	uint32_t disable_exits; /* KVM_X86_DISABLE_EXITS_* that a probe VM was seen to run with */
	uint32_t touch_step;	/* 0: KVM_PRE_FAULT_MEMORY is there; or the bytes of a page, to write to each */
	uint32_t rings;		/* 1: the memory of rings/rings.h is at RINGS_BASE */
	uint32_t functions;	/* of the host's that the VM has: so many messages follow, a handoff_function each */
	uint32_t cores[VM_VCPUS_MAX + 1]; /* host CPU of each vCPU */
	struct memory_layout layout;
	struct boot_entry entry;
};

_Static_assert(sizeof(struct memory_layout) == 16 + 32 * MEMORY_RANGES, "layout is part of the handoff");
_Static_assert(sizeof(struct boot_entry) == 56, "boot_entry is part of the handoff");
_Static_assert(sizeof(struct handoff) == 48 + 4 * 256 + 16 + 32 * MEMORY_RANGES + 56, "no padding in the handoff");

/*
 * A PCI function of the host's. Its registers are mapped and its group is shown to KVM, and then both fds are closed:
 * while the guest runs the core manager can ask nothing of the device. With it come the eventfds of its interrupts.
 */
enum handoff_function_fd {
	FUNCTION_FD_DEVICE, /* VFIO device */
	FUNCTION_FD_GROUP,  /* and its group */
	FUNCTION_FD_VECTORS,
	FUNCTION_FDS_MAX = FUNCTION_FD_VECTORS + PCI_VECTORS_MAX,
};

struct handoff_function {
	uint32_t magic;
	uint32_t size; /* of this struct */
	struct pci_function function;
};

_Static_assert(sizeof(struct handoff_function) == 8 + sizeof(struct pci_function), "no padding in it");

/*
 * What the core manager says. One message each. EVENT_VM brings the fd of its statistics, EVENT_VCPU that
 * and the vCPU's own.
 *
 * The seal, from the guest's or the operator's wish to the state: READY or REQUEST_SEAL; the core manager stops the
 * vCPUs, drops the boot devices, maps all memory, denies MSRs: QUIET; the supervisor sends a copy of each tripwire:
 * REQUEST_TRIPWIRE, and REQUEST_FILTER; each vCPU thread takes its last filter: FILTERED; the supervisor reads back
 * that the tripwires can kill, arms them, and lets the vCPUs go: REQUEST_GO.
 */
enum event_type {
	EVENT_LOG = 1,	/* level, text */
	EVENT_JAILED,	/* no way back from here; text: what of the jail this host doesn't have, or "" */
	EVENT_VM,	/* and its statistics */
	EVENT_VCPU,	/* vcpu, value: its thread's id; and its statistics, and itself */
	EVENT_BOOTING,	/* vCPU threads are pinned and about to run the guest */
	EVENT_READY,	/* the guest wrote value to the seal port; text: the label before it, or "" */
	EVENT_QUIET,	/* the vCPUs stand still, and only memory is left */
	EVENT_FILTERED, /* every vCPU thread has its last filter and waits */
	EVENT_END,	/* end, vcpu, value; the core manager exits after it */
};

/* What the supervisor asks for: one message each; REQUEST_TRIPWIRE brings one fd. */
enum request_type {
	REQUEST_SEAL = 1, /* as if the guest had asked */
	REQUEST_TRIPWIRE, /* to hold, so that it stays armed without the supervisor */
	REQUEST_FILTER,
	REQUEST_GO,
};

struct request {
	uint32_t type;
	uint32_t reserved;
};

/* How strict the seal is; DESIGN: "Levels". */
enum seal_level {
	SEAL_AUDIT = 1, /* exits are counted, and nothing is taken away */
	SEAL_USERSPACE, /* an exit that comes back to the core manager ends the VM */
	SEAL_STRICT,	/* any exit that the guest caused */
	SEAL_SILENT,	/* any exit */
};

/* Why a VM ended, as the core manager saw it. */
enum end_cause {
	END_POWER_OFF = 1,
	END_REBOOT,
	END_PANIC,
	END_TRIPLE_FAULT,
	END_KVM_ERROR, /* KVM_RUN gave up: value is the exit reason or errno, text says more */
	END_CORE_ERROR,
};

struct event {
	uint32_t type;
	uint32_t level; /* EVENT_LOG: enum log_level */
	uint32_t end;	/* EVENT_END: enum end_cause */
	uint32_t vcpu;
	uint64_t value;
	char text[1000]; /* 0-terminated; printable, or the supervisor makes it so */
};

_Static_assert(sizeof(struct event) == 1024, "no padding in an event");

/* Exit status of the core manager, when no event says more. */
enum core_exit {
	CORE_EXIT_END = 0,
	CORE_EXIT_ERROR = 1,	  /* it sent a message */
	CORE_EXIT_SUPERVISOR = 2, /* the supervisor went away */
	CORE_EXIT_PROTOCOL = 3,	  /* no or a broken handoff: nothing can be said */
	CORE_EXIT_RUN = 63,	  /* sealed, and KVM_RUN failed */
	CORE_EXIT_SEALED = 64,	  /* sealed, and KVM_RUN came back: plus its exit reason */
};

#endif
