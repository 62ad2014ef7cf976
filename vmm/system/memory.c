// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second holder of each guest's memory: whoever holds its fd can clear it when the supervisor was killed. It is asked
 * for as soon as the guest runs, and by a new nohyped again that has not had it from systemd (stored.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/control.h"
#include "vmm/system/system.h"

#define ASK_MS	1000
#define CORE_MS 10000 /* until the core manager, which the kernel kills with its supervisor, must be gone */

static int memory_ask(int fd, const struct ucred *peer, struct managed *vm)
{
	char answer[64];
	int fds[2];

	if (peer->pid != vm->pid)
		return -EPERM;
	if (send(fd, "memory", strlen("memory"), MSG_NOSIGNAL) < 0 ||
	    fd_receive(fd, answer, sizeof(answer), fds, ARRAY_SIZE(fds), 0) < 0)
		return -errno;
	if (fds[0] < 0)
		return -EPROTO;
	vm->rings_fd = fds[1];
	return fds[0];
}

void memory_hold(struct managed *vm)
{
	struct ucred peer;
	int fd;

	if (vm->memory_fd >= 0)
		return;
	fd = control_connect(vm->name, ASK_MS, &peer);
	vm->memory_fd = fd < 0 ? fd : memory_ask(fd, &peer, vm);
	if (vm->memory_fd < 0)
		warn("%s: its memory is held by its supervisor alone: %s", vm->name, strerror(-vm->memory_fd));
	else
		stored_put(vm);
	if (fd >= 0)
		close(fd);
}

/* systemd first: whoever closes it last has the kernel's work of freeing it. */
void memory_drop(struct managed *vm)
{
	if (vm->memory_fd >= 0)
		stored_drop(vm);
	fd_close(&vm->memory_fd);
	fd_close(&vm->rings_fd);
}

/*
 * The core manager ended with its supervisor, most likely, and its number can be another program's by now. One that is
 * just ending has no arguments any more, but may have threads.
 */
static bool is_another(pid_t pid)
{
	static const char wanted[] = "nohype-core"; /* and its terminating 0: the first argument */
	char path[64], found[sizeof(wanted)] = "";
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		len = read(fd, found, sizeof(found));
	fd_close(&fd);
	return len > 0 && (len != (ssize_t)sizeof(wanted) || memcmp(found, wanted, sizeof(wanted)) != 0);
}

/* True: no thread of it is left that could write. It is held by its pidfd before it is looked at. */
static bool core_is_gone(const struct managed *vm)
{
	struct pollfd core = { .fd = vm->core > 0 ? (int)syscall(SYS_pidfd_open, vm->core, 0) : -1, .events = POLLIN };

	if (core.fd < 0 || is_another(vm->core))
		return true;
	syscall(SYS_pidfd_send_signal, core.fd, SIGKILL, NULL, 0);
	return poll(&core, 1, CORE_MS) == 1;
}

static bool clear_one(int fd, enum memory_clear_how how)
{
	struct memory memory = { .fd = fd };
	struct memory_crew crew = { .count = 0 };
	struct memory_cleared cleared;
	struct stat st;

	if (fstat(fd, &st))
		return false;
	memory.page_size = (uint64_t)st.st_blksize;
	memory.layout.size = (uint64_t)st.st_size;
	return !memory_clear(&memory, &crew, how, &cleared);
}

/* With a name (memory.folder) it is there also if nobody held it. */
static void left_find(struct managed *vm)
{
	char rings[MEMORY_FILE_MAX];

	if (vm->pid <= 0)
		return;
	snprintf(rings, sizeof(rings), "%s" MEMORY_RINGS, vm->name);
	if (vm->memory_fd < 0)
		vm->memory_fd = memory_left_open(HOST_STATE, vm->name, vm->pid);
	if (vm->rings_fd < 0)
		vm->rings_fd = memory_left_open(HOST_STATE, rings, vm->pid);
}

bool memory_has_name(const struct managed *vm)
{
	struct stat st;

	return vm->memory_fd >= 0 && !fstat(vm->memory_fd, &st) && st.st_nlink > 0;
}

static void left_remove(const struct managed *vm)
{
	char rings[MEMORY_FILE_MAX];

	if (vm->pid <= 0)
		return;
	snprintf(rings, sizeof(rings), "%s" MEMORY_RINGS, vm->name);
	memory_left_remove(HOST_STATE, vm->name, vm->pid);
	memory_left_remove(HOST_STATE, rings, vm->pid);
}

/*
 * In a process of its own, as it takes its time; its exit status says whether all is zero. The ring process, which the
 * kernel kills with its supervisor too, has ended when the larger part is done, or is found out.
 */
static int clear_all(const struct managed *vm)
{
	bool cleared = core_is_gone(vm) && clear_one(vm->memory_fd, MEMORY_CLEAR_SAMPLE);

	if (vm->rings_fd >= 0 && cleared)
		cleared = clear_one(vm->rings_fd, MEMORY_CLEAR_VERIFY);
	if (cleared)
		left_remove(vm);
	return !cleared;
}

bool memory_clear_stray(int fd)
{
	return clear_one(fd, MEMORY_CLEAR_SAMPLE);
}

bool memory_clear_begin(struct managed *vm)
{
	struct stat st;
	pid_t pid;

	left_find(vm);
	if (vm->memory_fd < 0 || fstat(vm->memory_fd, &st))
		return false;
	pid = fork();
	if (pid == 0)
		_exit(clear_all(vm));
	if (pid < 0)
		return false;
	vm->clearing = st.st_size;
	vm->pid = pid;
	fd_close(&vm->pid_fd);
	vm->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return true;
}
