/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_PINNING_H
#define PINNING_PINNING_H

#include <stdbool.h>

#define CPU_ISOLATED "/sys/devices/system/cpu/isolated"

/*
 * A host core for each vCPU. @wanted, @nwanted: the cores asked for, in the vCPUs' order; none: isolated cores first,
 * then the highest-numbered ones that this process may use, so that core 0 stays the host's as long as it can. Fills
 * @cores with @vcpus numbers. -ENODEV (no such core, or offline), -ENOSPC (fewer cores than vCPUs): reported.
 */
int cores_choose(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, unsigned int *cores);

/*
 * The next range of a list in the kernel's own format, "0-3,7" (Documentation/core-api/printk-formats.rst, bitmaps as
 * lists); *@list moves past it. False: there is none.
 */
bool cpu_list_next(const char **list, unsigned long *first, unsigned long *last);

#endif
