// SPDX-License-Identifier: GPL-2.0-only
/* Each interrupt that may come to the cores, and those of devices that are yet to come. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pinning/host/internal.h"

/* The names of who handles it, which are folders beside the files. */
struct handlers {
	const char *folder;
	char names[64];
};

static int handler_add(void *context, const char *name)
{
	struct handlers *handlers = context;
	char *path = text_make("%s/%s", handlers->folder, name);
	size_t len = strlen(handlers->names);
	struct stat st;

	if (path && !stat(path, &st) && S_ISDIR(st.st_mode) && len + strlen(name) + 2 < sizeof(handlers->names)) {
		if (len)
			handlers->names[len++] = ' ';
		strcpy(handlers->names + len, name);
	}
	free(path);
	return 0;
}

/*
 * Some the kernel keeps: those of one CPU each, and "managed" ones, which drivers spread themselves. Only newer kernels
 * (6.12, not 6.1) take the right to write off the file's mode; on others trying tells.
 */
static bool interrupt_is_fixed(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !(st.st_mode & S_IWUSR);
}

/* One that stays matters if it really comes to one of the cores. */
static int interrupt_stays(struct host *host, const char *folder, const char *number, const char *names)
{
	char *path = text_make("%s/effective_affinity_list", folder);
	struct cpus set;
	int err = path ? cpus_read(&set, path) : -ENOMEM;

	free(path);
	if (err || !cpus_meet(&set, &host->cores))
		return 0;
	return lines_add(
		&host->lacking,
		"interrupt %s (%s) comes to these cores, and its driver manages that: isolcpus=managed_irq on the "
		"kernel's command line keeps it off while others can take it",
		number, names);
}

static int plan_interrupt(void *context, const char *number)
{
	const struct change change = { .kind = CHANGE_LIST,
				       .subject = SUBJECT_INTERRUPTS,
				       .flags = CHANGE_MAY_BE_REFUSED };
	struct host *host = context;
	char *folder = host_path(host, "/proc/irq/%s", number);
	char *path = folder ? text_make("%s/smp_affinity_list", folder) : NULL;
	struct handlers handlers = { .folder = folder };
	int err = -ENOMEM;

	if (path)
		err = folder_each(folder, handler_add, &handlers);
	if (path && !err && isdigit((unsigned char)*number) && *handlers.names) {
		if (interrupt_is_fixed(path)) {
			err = interrupt_stays(host, folder, number, handlers.names);
		} else {
			err = plan_cpus(host, change, path, &host->rest, handlers.names);
			path = NULL;
		}
	}
	free(path);
	free(folder);
	return err;
}

int plan_interrupts(struct host *host)
{
	const struct change change = { .kind = CHANGE_MASK, .subject = SUBJECT_INTERRUPTS };
	char *folder = host_path(host, "/proc/irq");
	int err = plan_cpus(host, change, host_path(host, "/proc/irq/default_smp_affinity"), &host->rest,
			    "devices to come");

	if (!err)
		err = folder ? folder_each(folder, plan_interrupt, host) : -ENOMEM;
	free(folder);
	return err;
}
