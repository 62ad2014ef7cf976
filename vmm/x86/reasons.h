/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_X86_REASONS_H
#define VMM_X86_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/config/config.h"

/* Why processors leave a guest: one table a vendor. Both number the reasons in their own way. */
struct exit_reason {
	uint32_t number;
	const char *name;
	bool host; /* the host's own doing: `strict` lets it pass */
	const char *cause;
	const char *avoid; /* how a guest keeps from it; NULL for the host's own */
};

struct vendor {
	const char *name;
	uint32_t isa; /* in kvm_exit's record: 1 VMX, 2 SVM */
	const char *module;
	const char *strict_filter; /* for the tracepoint: true for what ends a strict VM; tests hold it to the table */
	const char *except_filters[EXCEPT_COUNT]; /* each true for exits of that kind and nothing else */
	uint32_t io_number;			  /* port I/O */
	uint64_t io_in;				  /* the bit of its info1 that says input */
	uint32_t address_number;		  /* exits whose info2 is a guest-physical address; UINT32_MAX: none */
	uint32_t msr_first, msr_last;
	/* Is @info1 one OUT of a byte, no string? If so *@port. */
	bool (*is_out_byte)(uint64_t info1, uint16_t *port);
	/* The kind that such an exit is of, or -1: as the filters have it. */
	int (*except_kind)(uint32_t reason, uint64_t info1, uint64_t info2);
	/* Of the two accesses to an MSR, is it WRMSR? */
	bool (*is_msr_write)(uint32_t reason, uint64_t info1);
	size_t count;
	const struct exit_reason *reasons;
};

extern const struct vendor vendor_amd, vendor_intel;

/* By isa; NULL if there is none. */
const struct vendor *vendor_by_isa(uint32_t isa);

/* The vendor whose KVM module is loaded on this host; NULL: neither. */
const struct vendor *vendor_of_host(void);

/* The reason of that number, or NULL: then it is the guest's. */
const struct exit_reason *reason_find(const struct vendor *vendor, uint32_t number);

#endif
