/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_PINNING_H
#define PINNING_PINNING_H

/*
 * A host core for each vCPU. @wanted, @nwanted: the cores asked for, in the vCPUs' order; none: isolated cores first,
 * then the highest-numbered ones that this process may use, so that core 0 stays the host's as long as it can. Fills
 * @cores with @vcpus numbers. -ENODEV (no such core, or offline), -ENOSPC (fewer cores than vCPUs): reported.
 */
int cores_choose(const unsigned int *wanted, unsigned int nwanted, unsigned int vcpus, unsigned int *cores);

#endif
