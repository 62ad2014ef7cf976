// SPDX-License-Identifier: GPL-2.0-only
/*
 * Under systemd each supervisor is a unit of its own, nohype-vm-NAME.scope of nohype.slice, and not a part of
 * nohyped's: org.freedesktop.systemd1(5), StartTransientUnit. It waits in scope_wait() until it is in there, as what it
 * starts is where it is itself. Here nothing waits for the bus, which is connected to as long as something is asked of
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/supervisor.h"
#include "vmm/system/system.h"

#define SYSTEMD	  "org.freedesktop.systemd1"
#define MANAGER	  SYSTEMD ".Manager"
#define MS	  INT64_C(1000000)
#define LIMIT	  (30000 * MS) /* until a supervisor begins without */
#define AGAIN	  (50 * MS)    /* between two tries, where the unit of its last life is still there */
#define SCOPE_MAX (VM_NAME_MAX + sizeof("nohype-vm-.scope"))

bool scope_is_wanted(void)
{
	return geteuid() == 0 && sd_booted() > 0;
}

void scope_wait(int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0 && errno == EINTR)
		;
}

/* A VM's name has no character that a unit's may not have. */
static void scope_name(const struct managed *vm, char name[SCOPE_MAX])
{
	snprintf(name, SCOPE_MAX, "nohype-vm-%s.scope", vm->name);
}

void scope_end(struct managed *vm)
{
	fd_close(&vm->scope.go_fd);
	vm->scope.call = sd_bus_slot_unref(vm->scope.call);
	vm->scope.again = 0;
}

static void scope_go(struct managed *vm)
{
	/* one that has ended meanwhile doesn't read it */
	if (write(vm->scope.go_fd, "", 1) < 0 && errno != EPIPE)
		warn("%s: told to begin: %s", vm->name, strerror(errno));
	scope_end(vm);
}

static void scope_lack(struct manager *manager, struct managed *vm, const char *why)
{
	if (!manager->bus_warned)
		warn("%s: no unit of its own under systemd, it stays in nohyped's: %s", vm->name, why);
	manager->bus_warned = true;
	scope_go(vm);
}

/* What the kernel says, and not the bus. */
static bool scope_holds(const struct managed *vm)
{
	char path[64], line[512], name[SCOPE_MAX];
	bool holds = false;
	FILE *file;

	scope_name(vm, name);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)vm->pid);
	file = fopen(path, "re");
	while (file && !holds && fgets(line, sizeof(line), file)) {
		const char *last = strrchr(line, '/');

		holds = last && strncmp(last + 1, name, strlen(name)) == 0 && last[1 + strlen(name)] == '\n';
	}
	if (file)
		fclose(file);
	return holds;
}

static int on_answer(sd_bus_message *answer, void *context, sd_bus_error *unused)
{
	struct managed *vm = context;
	const sd_bus_error *error = sd_bus_message_get_error(answer);

	(void)unused;
	if (error && sd_bus_error_has_name(error, SYSTEMD ".UnitExists"))
		vm->scope.again = clock_now() + AGAIN;
	else if (error)
		scope_lack(vm->scope.manager, vm, error->message ? error->message : error->name);
	return 0;
}

/* Another's job, or that of an older unit of this name, moves nothing of ours. */
static int on_job_removed(sd_bus_message *signal, void *context, sd_bus_error *unused)
{
	const char *job, *unit, *result;
	struct manager *manager = context;
	char name[SCOPE_MAX];
	uint32_t id;

	(void)unused;
	if (sd_bus_message_read(signal, "uoss", &id, &job, &unit, &result) < 0)
		return 0;
	for (unsigned int i = 0; i < manager->count; i++) {
		struct managed *vm = manager->vms[i];

		scope_name(vm, name);
		if (vm->scope.go_fd < 0 || strcmp(unit, name) != 0)
			continue;
		if (scope_holds(vm)) {
			manager->bus_warned = false;
			scope_go(vm);
		} else if (strcmp(result, "done") != 0) {
			scope_lack(manager, vm, result);
		}
	}
	return 0;
}

static int bus_open(struct manager *manager)
{
	int err = manager->bus ? 0 : sd_bus_open_system(&manager->bus);

	if (err >= 0 && !manager->bus_listens) {
		err = sd_bus_match_signal_async(manager->bus, NULL, SYSTEMD, "/org/freedesktop/systemd1", MANAGER,
						"JobRemoved", on_job_removed, NULL, manager);
		manager->bus_listens = err >= 0;
	}
	return err;
}

static bool partition_is_there(void)
{
	struct cpus cpus;

	cpus_partition(&cpus);
	return !cpus_empty(&cpus);
}

/*
 * It ends with its last process, also where that failed. It is stopped by a signal to all that only a supervisor takes,
 * which ends the others itself and clears the memory, however long that lasts; and before nohyped, which tells of it.
 *
 * systemd takes controllers that none of its units has from the root group when it next writes its others there
 * (src/basic/cgroup-util.c, cg_enable_everywhere()), and a partition goes with cpuset: so one that VMs may be in is
 * these units' too.
 */
static int properties_append(sd_bus_message *call, const struct managed *vm)
{
	char title[VM_NAME_MAX + 32];
	int err = sd_bus_message_open_container(call, 'a', "(sv)");

	snprintf(title, sizeof(title), "nohype: the VM %s", vm->name);
	if (err >= 0)
		err = sd_bus_message_append(call, "(sv)(sv)(sv)(sv)(sv)(sv)(sv)", "Description", "s", title, "Slice",
					    "s", "nohype.slice", "After", "as", 1, "nohyped.service", "CollectMode",
					    "s", "inactive-or-failed", "KillSignal", "i", STOP_SIGNAL,
					    "TimeoutStopUSec", "t", UINT64_MAX, "PIDs", "au", 1, (uint32_t)vm->pid);
	if (err >= 0 && partition_is_there())
		err = sd_bus_message_append(call, "(sv)", "DelegateControllers", "as", 1, "cpuset");
	return err < 0 ? err : sd_bus_message_close_container(call);
}

static int scope_ask(struct manager *manager, struct managed *vm)
{
	char name[SCOPE_MAX];
	sd_bus_message *call = NULL;
	int err = bus_open(manager);

	scope_name(vm, name);
	vm->scope.again = 0;
	vm->scope.call = sd_bus_slot_unref(vm->scope.call);
	if (err >= 0)
		err = sd_bus_message_new_method_call(manager->bus, &call, SYSTEMD, "/org/freedesktop/systemd1", MANAGER,
						     "StartTransientUnit");
	if (err >= 0)
		err = sd_bus_message_append(call, "ss", name, "fail");
	if (err >= 0)
		err = properties_append(call, vm);
	if (err >= 0)
		err = sd_bus_message_append(call, "a(sa(sv))", 0);
	if (err >= 0)
		err = sd_bus_call_async(manager->bus, &vm->scope.call, call, on_answer, vm, 0);
	sd_bus_message_unref(call);
	return err;
}

void scope_request(struct manager *manager, struct managed *vm, int go_fd)
{
	int err;

	vm->scope = (struct scope){ .go_fd = go_fd, .until = clock_now() + LIMIT, .manager = manager };
	err = scope_ask(manager, vm);
	if (err < 0)
		scope_lack(manager, vm, strerror(-err));
}

static void bus_close(struct manager *manager)
{
	manager->bus = sd_bus_close_unref(manager->bus);
	manager->bus_listens = false;
}

/* What is to be done now for one that waits; false: none does. */
static bool scope_run(struct manager *manager, struct managed *vm, int err)
{
	if (vm->scope.go_fd >= 0 && err >= 0 && vm->scope.again && vm->scope.again <= clock_now())
		err = scope_ask(manager, vm);
	if (vm->scope.go_fd >= 0 && err < 0)
		scope_lack(manager, vm, strerror(-err));
	if (vm->scope.go_fd >= 0 && vm->scope.until <= clock_now())
		scope_lack(manager, vm, vm->scope.again ? "the unit of its last life is there still" : "no answer");
	return vm->scope.go_fd >= 0;
}

struct pollfd scopes_run(struct manager *manager)
{
	struct pollfd none = { .fd = -1 };
	bool waits = false;
	int err = 0;

	while (manager->bus && (err = sd_bus_process(manager->bus, NULL)) > 0)
		;
	for (unsigned int i = 0; i < manager->count; i++)
		waits |= scope_run(manager, manager->vms[i], err);
	if (manager->bus && (!waits || err < 0))
		bus_close(manager);
	return manager->bus ? (struct pollfd){ .fd = sd_bus_get_fd(manager->bus),
					       .events = (short)sd_bus_get_events(manager->bus) }
			    : none;
}

int64_t scopes_next(const struct manager *manager)
{
	int64_t now = clock_now(), least = INT64_MAX;

	for (unsigned int i = 0; i < manager->count; i++) {
		const struct scope *scope = &manager->vms[i]->scope;

		if (scope->go_fd >= 0)
			least = MIN(least, MAX((scope->again ? scope->again : scope->until) - now, 0));
	}
	return least;
}
