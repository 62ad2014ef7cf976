/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_SUPERVISOR_H
#define VMM_SUPERVISOR_SUPERVISOR_H

#include <signal.h>
#include <stdbool.h>

#include "vmm/config/config.h"

struct run_options {
	bool verbose; /* say the command line, the placement and each step */
	bool managed; /* started by nohyped: its life is written to LIFE_FD */
};

/* Where a managed VM's life goes: see vmm/system/launch.c. */
#define LIFE_FD 3

/*
 * Ends a managed VM as SIGTERM does. Others ignore it unless they ask for it, so that all processes of a VM can be sent
 * it, as systemd does with a unit's, and no core manager ends before its supervisor knows why.
 */
#define STOP_SIGNAL SIGWINCH

/* Run one VM to its end in the foreground; returns an enum exit_code. The last line on standard error says why. */
int vm_run(const struct vm_config *cfg, const struct run_options *opt);

/*
 * Say all that vm_run would refuse, of the files and of this host, and start nothing; returns an enum exit_code.
 */
int vm_check(const struct vm_config *cfg, const struct run_options *opt);

/*
 * A core manager's uid is this and its supervisor's pid, if we can give it one: this VM's alone, since no two
 * supervisors have one pid, and far above what is handed out to people and containers.
 */
#define CORE_UID_BASE 0x6e000000u

#endif
