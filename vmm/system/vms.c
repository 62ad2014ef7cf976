// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "vmm/config/parse.h"
#include "vmm/system/system.h"

char *path_make(const char *fmt, ...)
{
	char *path = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&path, fmt, ap) < 0)
		path = NULL;
	va_end(ap);
	return path;
}

struct managed *vm_find(struct manager *manager, const char *name)
{
	for (unsigned int i = 0; i < manager->count; i++)
		if (strcmp(manager->vms[i]->name, name) == 0)
			return manager->vms[i];
	return NULL;
}

struct managed *vm_add(struct manager *manager, const char *name)
{
	struct managed *vm = manager->count < VMS_MAX ? calloc(1, sizeof(*vm)) : NULL;
	unsigned int at = manager->count;

	if (!vm)
		return NULL;
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	vm->state = "defined";
	vm->pid_fd = -1;
	vm->life_fd = -1;
	vm->memory_fd = -1;
	vm->rings_fd = -1;
	vm->scope.go_fd = -1;
	vm->status = -1;
	for (; at > 0 && strcmp(manager->vms[at - 1]->name, name) > 0; at--)
		manager->vms[at] = manager->vms[at - 1];
	manager->vms[at] = vm;
	manager->count++;
	return vm;
}

void vm_remove(struct manager *manager, struct managed *vm)
{
	unsigned int at = 0;

	while (manager->vms[at] != vm)
		at++;
	manager->count--;
	for (; at < manager->count; at++)
		manager->vms[at] = manager->vms[at + 1];
	fd_close(&vm->pid_fd);
	fd_close(&vm->life_fd);
	fd_close(&vm->memory_fd);
	fd_close(&vm->rings_fd);
	scope_end(vm);
	vm_forget(vm);
	free(vm);
}

void vm_forget(struct managed *vm)
{
	vm->state = "defined";
	vm->run = 0;
	vm->told = 0;
	vm->unended = false;
	vm->ended_now = false;
	vm->ordered = false;
	vm->restarts = 0;
	vm->restart_at = 0;
	json_decref(vm->cause);
	vm->cause = NULL;
	json_decref(vm->end);
	vm->end = NULL;
}

bool vm_is_alive(const struct managed *vm)
{
	return vm->life_fd >= 0;
}

json_t *vm_json(const struct managed *vm)
{
	return json_pack("{s:s, s:s, s:b, s:I, s:o, s:i, s:b, s:O?}", "name", vm->name, "state", vm->state, "running",
			 vm_is_alive(vm), "run", vm->run, "pid", vm->pid ? json_integer(vm->pid) : json_null(),
			 "restarts", (int)vm->restarts, "restarting", vm->restart_at != 0, "end", vm->end);
}

/* "web.json" is the VM "web". */
static int vm_load(struct manager *manager, const char *file)
{
	size_t len = strlen(file), suffix = strlen(".json");
	char name[VM_NAME_MAX + 1];

	if (len <= suffix || len - suffix > VM_NAME_MAX || strcmp(file + len - suffix, ".json") != 0)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(len - suffix), file);
	if (!name_is_valid(name) || vm_find(manager, name))
		return 0;
	return vm_add(manager, name) ? 0 : fail(-ENOMEM, "more VMs than %d are stored", VMS_MAX);
}

int vms_load(struct manager *manager)
{
	char *path = path_make("%s/vms", manager->folders.state);
	DIR *folder = path ? opendir(path) : NULL;
	const struct dirent *entry;
	int err = folder ? 0 : fail(-errno, "\"%s/vms\": %s", manager->folders.state, strerror(errno));

	while (folder && !err && (entry = readdir(folder)))
		err = vm_load(manager, entry->d_name);
	if (folder)
		closedir(folder);
	free(path);
	return err;
}
