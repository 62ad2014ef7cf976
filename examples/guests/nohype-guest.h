/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a program that seals the guest it runs in, where `nohype-guest seal` isn't wanted: one function, which needs
 * nothing else of nohype's, and no library but libc.
 *
 *	#include "nohype-guest.h"
 *	...
 *	int err = nohype_guest_seal("web");
 *
 * It does the sealing and nothing else. So before it: nothing may hold the serial port, or write to it, the kernel no
 * more than a process (echo N >/sys/class/tty/ttyS0/console), and this program must be one that executes no CPUID
 *later. What else a sealed guest may do is in docs/guests.md.
 */
#ifndef NOHYPE_GUEST_H
#define NOHYPE_GUEST_H

#include <errno.h>
#include <stddef.h>
#include <sys/io.h>

#define NOHYPE_GUEST_SEAL_PORT 0x600
#define NOHYPE_GUEST_SEAL_HERE 0x4e /* what it reads as, in a guest of nohype */
#define NOHYPE_GUEST_SEAL_GO   1
#define NOHYPE_GUEST_LABEL_MAX 64

/*
 * Seal this guest. When it returns 0, the first thing that would need the hypervisor ends it. Each vCPU stops for some
 * milliseconds meanwhile.
 *
 * @label: what nohype shows and keeps with its report: up to 64 bytes of printable ASCII but " and \; NULL for none.
 *
 * 0 or a negative errno, and then nothing is sealed: -EINVAL @label is none; -EPERM no CAP_SYS_RAWIO, or a kernel that
 * is locked down; -ENODEV not a guest of nohype, or one without a seal port. In a guest that is sealed already it ends
 * it.
 */
static inline int nohype_guest_seal(const char *label)
{
	size_t len = 0;

	for (; label && label[len]; len++)
		if (len == NOHYPE_GUEST_LABEL_MAX || label[len] < ' ' || label[len] > '~' || label[len] == '"' ||
		    label[len] == '\\')
			return -EINVAL;
	if (ioperm(NOHYPE_GUEST_SEAL_PORT, 1, 1))
		return -errno;
	if (inb(NOHYPE_GUEST_SEAL_PORT) != NOHYPE_GUEST_SEAL_HERE)
		return -ENODEV;
	outb(0, NOHYPE_GUEST_SEAL_PORT); /* no label yet */
	for (size_t i = 0; i < len; i++)
		outb((unsigned char)label[i], NOHYPE_GUEST_SEAL_PORT);
	outb(NOHYPE_GUEST_SEAL_GO, NOHYPE_GUEST_SEAL_PORT);
	return 0;
}

#endif
