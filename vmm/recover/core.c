// SPDX-License-Identifier: GPL-2.0-only
/* A core manager whose supervisor is dead: the kernel kills it with that, most likely has, and its number is another's.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/recover/recover.h"
#include "vmm/supervisor/supervisor.h"

#define CORE_MS 10000 /* until it must be gone */

/* By name and, where each has one of its own, by uid, which is root's until it has made its jail. */
static bool is_core_of(pid_t core, pid_t supervisor)
{
	unsigned int uid = 0;
	char path[64], line[128], name[32] = "";
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)core);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		sscanf(line, "Name: %31s", name);
		sscanf(line, "Uid: %u", &uid);
	}
	if (status)
		fclose(status);
	if (strcmp(name, "nohype-core") != 0)
		return false;
	return geteuid() != 0 || uid == 0 || uid == CORE_UID_BASE + (unsigned int)supervisor;
}

int stray_core_end(pid_t core, pid_t supervisor)
{
	struct pollfd process = { .fd = core > 0 ? (int)syscall(SYS_pidfd_open, core, 0) : -1, .events = POLLIN };
	int ended = 0;

	/* held by its pidfd before it is looked at */
	if (process.fd >= 0 && is_core_of(core, supervisor)) {
		syscall(SYS_pidfd_send_signal, process.fd, SIGKILL, NULL, 0);
		ended = poll(&process, 1, CORE_MS) == 1 ? 1 : -EBUSY;
	}
	fd_close(&process.fd);
	return ended;
}
