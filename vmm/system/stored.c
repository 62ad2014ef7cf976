// SPDX-License-Identifier: GPL-2.0-only
/*
 * A third holder of each guest's memory: systemd, in the fd store of our unit (FileDescriptorStoreMax=), which it keeps
 * over our death, not over `systemctl stop`. So who comes after a nohyped that was killed with a supervisor can clear.
 * "memory/5/web" is that of the life of web that event 5 began, "rings/5/web" its rings': systemd's names are up to 255
 * printable characters without ":", and a VM's has no "/".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/config/parse.h"
#include "vmm/recover/recover.h"
#include "vmm/system/system.h"

#define NAME_MAX_STORED 128

_Static_assert(NAME_MAX_STORED > sizeof("memory/9223372036854775807/") + VM_NAME_MAX, "every name fits");

static void stored_name(char name[NAME_MAX_STORED], const char *kind, const struct managed *vm)
{
	snprintf(name, NAME_MAX_STORED, "%s/%lld/%s", kind, (long long)vm->run, vm->name);
}

bool stored_is_name(const char *name)
{
	const char *run = strchr(name, '/'), *vm = run ? strchr(run + 1, '/') : NULL;

	if (strncmp(name, "memory/", strlen("memory/")) != 0 && strncmp(name, "rings/", strlen("rings/")) != 0)
		return false;
	return vm && vm - run > 1 && strspn(run + 1, "0123456789") == (size_t)(vm - run - 1) && name_is_valid(vm + 1);
}

/* Memory as memory_reserve() makes it: whole pages, and a size that nobody can change under who clears it. */
static bool is_memory(int fd)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	int seals = fcntl(fd, F_GET_SEALS), flags = fcntl(fd, F_GETFL);
	struct stat st;

	return seals >= 0 && (seals & wanted) == wanted && flags >= 0 && (flags & O_ACCMODE) == O_RDWR &&
	       !fstat(fd, &st) && st.st_size > 0 && st.st_size % st.st_blksize == 0;
}

static int put(const struct managed *vm, const char *kind, int fd)
{
	char name[NAME_MAX_STORED];

	/* that of a file with a name (memory.folder) has no seals, and is found by its name */
	if (fd < 0 || !is_memory(fd))
		return 0;
	stored_name(name, kind, vm);
	return service_keep(name, fd);
}

/* The rings first: who has the memory of a life, and no rings, then knows that it has none. */
void stored_put(const struct managed *vm)
{
	int err = put(vm, "rings", vm->rings_fd);

	if (err >= 0)
		err = put(vm, "memory", vm->memory_fd);
	if (err < 0)
		warn("%s: its memory is not in systemd's fd store: %s", vm->name, strerror(-err));
}

void stored_take(struct manager *manager, struct managed *vm)
{
	char name[NAME_MAX_STORED];

	if (vm->memory_fd >= 0)
		return;
	stored_name(name, "memory", vm);
	vm->memory_fd = service_take(&manager->service, name, is_memory);
	if (vm->memory_fd < 0)
		return;
	stored_name(name, "rings", vm);
	vm->rings_fd = service_take(&manager->service, name, is_memory);
}

void stored_drop(const struct managed *vm)
{
	char name[NAME_MAX_STORED];

	stored_name(name, "memory", vm);
	service_forget(name);
	stored_name(name, "rings", vm);
	service_forget(name);
	service_barrier();
}

/* Of a life that isn't known: who has it clears it, and where nobody does it is ours to do. */
static void stray_end(const char *name, int fd)
{
	pid_t user = memory_user(fd);
	struct stat st;

	if (user != 0) {
		warn("\"%s\" of systemd's fd store is no VM's that is known: left to process %d, which has it, or may",
		     name, (int)user);
		return;
	}
	if (!fstat(fd, &st))
		service_starting(CLEAR_SECONDS + (unsigned int)((uint64_t)st.st_size / CLEAR_BYTES));
	warn("\"%s\" of systemd's fd store is no VM's that is known, and no process has it: %s", name,
	     memory_clear_stray(fd) ? "cleared by nohyped" : MEMORY_NOT_CLEARED);
}

void stored_strays(struct manager *manager)
{
	for (unsigned int i = 0; i < manager->service.count; i++) {
		struct given *given = &manager->service.given[i];

		if (given->fd < 0 || !stored_is_name(given->name) || !is_memory(given->fd))
			continue;
		stray_end(given->name, given->fd);
		service_forget(given->name);
		fd_close(&given->fd);
	}
}

void stored_end(struct manager *manager)
{
	service_end(&manager->service);
	/* what was removed by its name may have been one of these too; systemd takes none that it has a second time */
	for (unsigned int i = 0; i < manager->count; i++)
		stored_put(manager->vms[i]);
}
