// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the core manager's jail has that others don't. The steps are in vmm/jail; what comes after the VM is built, the
 * system call filter, is in main.c.
 */
#include <errno.h>
#include <signal.h>

#include "vmm/core/core.h"
#include "vmm/jail/jail.h"

static void kicked(int sig)
{
	(void)sig;
}

int jail_enter_early(void)
{
	const struct sigaction kick = { .sa_handler = kicked };
	int err = jail_begin(HANDOFF_SOCKET);

	/* The one handler, empty: this signal takes a vCPU thread out of KVM_RUN. */
	return err ? err : sigaction(SIGNAL_KICK, &kick, NULL) ? -errno : 0;
}

int jail_enter(const struct handoff *handoff, char *lacking, size_t size)
{
	return jail_close("the core manager's", handoff->uid, handoff->supervisor_pid, lacking, size);
}
