// SPDX-License-Identifier: GPL-2.0-only
/* Documentation/networking/scaling.rst: which CPUs a queue's packets are handed to (RPS), and send by it (XPS). */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "pinning/host/internal.h"

static const struct cpus none;

struct interface {
	struct host *host;
	const char *name;
};

/* No CPU at all: the steering is off, and packets stay where their interrupt is. */
static int plan_queue(void *context, const char *queue)
{
	const struct change change = { .kind = CHANGE_MASK, .subject = SUBJECT_NETWORK };
	const struct interface *interface = context;
	const char *file = queue[0] == 'r' ? "rps_cpus" : "xps_cpus";
	char *path = host_path(interface->host, "/sys/class/net/%s/queues/%s/%s", interface->name, queue, file);

	return plan_cpus(interface->host, change, path, &none, "");
}

static int plan_interface(void *context, const char *name)
{
	struct interface interface = { context, name };
	char *folder = host_path(interface.host, "/sys/class/net/%s/queues", name);
	int err = folder ? folder_each(folder, plan_queue, &interface) : -ENOMEM;

	free(folder);
	return err;
}

/* What interfaces begin with that are yet to come; since 6.4. */
int plan_network(struct host *host)
{
	const struct change change = { .kind = CHANGE_MASK, .subject = SUBJECT_NETWORK };
	char *folder = host_path(host, "/sys/class/net");
	int err = plan_cpus(host, change, host_path(host, "/proc/sys/net/core/rps_default_mask"), &none,
			    "interfaces to come");

	if (!err)
		err = folder ? folder_each(folder, plan_interface, host) : -ENOMEM;
	free(folder);
	return err;
}
