/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_ATTACH_H
#define VMM_CLI_ATTACH_H

#include <sys/types.h>

#include "vmm/cli/cli.h"

/* console.c: what a VM's ring process has to give. */

/* A connection, on which the VM's own bytes come next, in packets of RINGS_PACKET_MAX at most; -1, reported. */
int vm_attach(const struct command *cmd, const char *name, const char *word);

/* It has ended: 0, with the VM; else, reported, because nobody took what came on it. */
int vm_detached(const char *name);

/* All of it to standard output; negative errno, reported. */
int output_write(const char *bytes, ssize_t len);

#endif
