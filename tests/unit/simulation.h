/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_SIMULATION_H
#define TESTS_UNIT_SIMULATION_H

#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

/* The simulated resctrl of tests/resctrl, for as long as a test runs. */
#ifndef RESCTRLFS
#define RESCTRLFS "build/resctrlfs"
#endif

static char folder[] = "/tmp/resctrl-XXXXXX";
static int root = -1;
static pid_t server;

/* Until its files are there, 10 s at most. @as: what is to be otherwise with it, or "". */
static void simulation_begin(const char *as)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	server = fork();
	ck_assert_int_ge(server, 0);
	if (!server) {
		setenv("RESCTRL", as, 1);
		execl(RESCTRLFS, "resctrlfs", "-s", "-f", folder, (char *)NULL);
		_exit(127);
	}
	for (int tries = 0; tries < 1000; tries++) {
		root = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
		if (root >= 0 && !faccessat(root, "schemata", F_OK, 0))
			return;
		fd_close(&root);
		usleep(10000);
	}
	ck_abort_msg("the simulated resctrl is not there: wanted " RESCTRLFS " and a user who may mount by /dev/fuse");
}

static void simulation_end(void)
{
	close(root);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

#endif
