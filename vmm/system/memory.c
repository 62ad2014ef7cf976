// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second holder of each guest's memory: whoever holds its fd can clear it when the supervisor was killed. It is asked
 * for as soon as the guest runs, and by a new nohyped again that has not had it from systemd (stored.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/forked.h"
#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "vmm/recover/recover.h"
#include "vmm/supervisor/control.h"
#include "vmm/system/system.h"

#define ASK_MS	 1000
#define WAIT_MIN INT64_C(10000000000) /* ns until one that did not answer is asked again, doubled each time */
#define WAIT_MAX (60 * WAIT_MIN)

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

int memory_hold(struct managed *vm)
{
	struct ucred peer;
	int fd = control_connect(vm->name, ASK_MS, &peer), memory;

	memory = fd < 0 ? fd : memory_ask(fd, &peer, vm);
	if (fd >= 0)
		close(fd);
	if (memory < 0) {
		vm->memory_wait = MIN(MAX(2 * vm->memory_wait, WAIT_MIN), WAIT_MAX);
		vm->memory_again = clock_now() + vm->memory_wait;
		return memory;
	}
	vm->memory_fd = memory;
	stored_put(vm);
	return 0;
}

static void failed_drop(struct managed *vm)
{
	if (vm->failed)
		munmap(vm->failed, sizeof(*vm->failed));
	vm->failed = NULL;
}

/* systemd first: whoever closes it last has the kernel's work of freeing it. */
void memory_drop(struct managed *vm)
{
	if (vm->memory_fd >= 0)
		stored_drop(vm);
	fd_close(&vm->memory_fd);
	fd_close(&vm->rings_fd);
	failed_drop(vm);
	vm->left = false;
}

/* *@failed: bytes of it that the hardware lost, if that is asked. */
static bool clear_one(int fd, enum memory_clear_how how, uint64_t *failed)
{
	struct memory memory = { .fd = fd };
	struct memory_crew crew = { .count = 0 };
	struct memory_cleared cleared = { 0 };
	struct stat st;

	if (fstat(fd, &st))
		return false;
	memory.page_size = (uint64_t)st.st_blksize;
	memory.layout.size = (uint64_t)st.st_size;
	if (memory_clear(&memory, &crew, how, &cleared))
		return false;
	if (failed)
		*failed = cleared.failed;
	return true;
}

static void rings_name(char file[MEMORY_FILE_MAX], const struct managed *vm)
{
	snprintf(file, MEMORY_FILE_MAX, "%s" MEMORY_RINGS, vm->name);
}

/* With a name (memory.folder) it is there also if nobody held it. */
static void left_find(struct managed *vm)
{
	char rings[MEMORY_FILE_MAX];

	if (vm->pid <= 0)
		return;
	rings_name(rings, vm);
	if (vm->memory_fd < 0) {
		vm->memory_fd = memory_left_open(HOST_STATE, vm->name, vm->pid);
		vm->left = vm->memory_fd != -ENOENT;
	}
	if (vm->rings_fd < 0)
		vm->rings_fd = memory_left_open(HOST_STATE, rings, vm->pid);
}

bool memory_has_name(const struct managed *vm)
{
	struct stat st;

	return vm->left || (vm->memory_fd >= 0 && !fstat(vm->memory_fd, &st) && st.st_nlink > 0);
}

static void left_remove(const struct managed *vm)
{
	char rings[MEMORY_FILE_MAX];

	if (vm->pid <= 0)
		return;
	rings_name(rings, vm);
	memory_left_remove(HOST_STATE, vm->name, vm->pid);
	memory_left_remove(HOST_STATE, rings, vm->pid);
}

/* What nobody held: when nobody has it any more, and as its supervisor was told to. */
static bool clear_left(const struct managed *vm)
{
	struct fate fate;

	fate_find(&fate, HOST_STATE, vm->name, vm->pid, "nohyped");
	*vm->failed = fate.failed;
	return !fate.err;
}

/*
 * In a process of its own, as it takes its time; its exit status says whether all is zero. The ring process, which the
 * kernel kills with its supervisor too, has ended when the larger part is done, or is found out.
 */
static int clear_all(const struct managed *vm)
{
	const int kept[] = { vm->memory_fd, vm->rings_fd };
	bool cleared;

	/* or nohyped's folders stay locked, and what others let go of isn't free, until this is done */
	forked_keep(kept, ARRAY_SIZE(kept));
	if (stray_core_end(vm->core, vm->pid) < 0)
		return EXIT_FAILURE;
	if (vm->left)
		return !clear_left(vm);
	cleared = clear_one(vm->memory_fd, vm->verify ? MEMORY_CLEAR_VERIFY : MEMORY_CLEAR_SAMPLE, vm->failed);
	if (vm->rings_fd >= 0 && cleared)
		cleared = clear_one(vm->rings_fd, MEMORY_CLEAR_VERIFY, NULL);
	if (cleared)
		left_remove(vm);
	return !cleared;
}

bool memory_clear_stray(int fd)
{
	return clear_one(fd, MEMORY_CLEAR_SAMPLE, NULL);
}

bool memory_clear_begin(struct managed *vm)
{
	struct stat st;
	pid_t pid;

	left_find(vm);
	if (vm->memory_fd < 0 || fstat(vm->memory_fd, &st))
		return false;
	vm->failed = mmap(NULL, sizeof(*vm->failed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0, 0);
	if (vm->failed == MAP_FAILED)
		vm->failed = NULL;
	pid = vm->failed ? fork() : -1;
	if (pid == 0)
		_exit(clear_all(vm));
	if (pid < 0) {
		failed_drop(vm);
		return false;
	}
	vm->clearing = true;
	vm->bytes = st.st_size;
	vm->pid = pid;
	fd_close(&vm->pid_fd);
	vm->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return true;
}

off_t memory_cleared(const struct managed *vm)
{
	return vm->bytes - (vm->failed ? (off_t)*vm->failed : 0);
}
