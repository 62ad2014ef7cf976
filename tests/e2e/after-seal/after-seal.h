/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_AFTER_SEAL_H
#define TESTS_AFTER_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#define EVIDENCE_PAGE 0xf000000 /* memmap=4K$0xf000000 */
#define KEXEC_PAGE    0x8000000

struct action {
	const char *name;
	int (*act)(void);     /* what the guest does after its seal: 0, or an errno */
	int (*prepare)(void); /* before it; NULL: nothing. 0, or an errno */
	bool seals_itself;    /* act() does, instead of `nohype-guest seal` */
};

/* actions.c: NULL if there is none of that name. */
const struct action *action_find(const char *name);

#endif
