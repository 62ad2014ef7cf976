/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_BYSTANDERS_H
#define VMM_CLI_BYSTANDERS_H

/*
 * Does a VM run here, of this user, that any interrupt of its core ends: sealed at level silent? Then -EBUSY, reported
 * with @why. VMs of other users can't be asked: there is a warning for each.
 */
int bystanders_check(const char *why);

#endif
