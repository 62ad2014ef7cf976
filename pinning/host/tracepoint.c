// SPDX-License-Identifier: GPL-2.0-only
/* A neighbour's start and stop must not be felt: what patches code on every core is done once, here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pinning/host/internal.h"

#define TRACING "/sys/kernel/tracing"
#define EVENT	"events/kvm/kvm_exit"
#define NEVER	"exit_reason == 0 && exit_reason != 0"

/*
 * Documentation/trace/ftrace.rst, "Instances". Two, as a tracepoint's first listener makes the kernel patch the jump,
 * and its second one patches that from a direct call into a loop (kernel/tracepoint.c, nr_func_state()); a third
 * changes nothing. Measured, interrupts that one perf event cost each other core: none held 12, one 9, two 3; and the
 * last 3 are not the tracepoint's but perf's own switch, which any VM with a tripwire holds on.
 */
static const char *const instances[] = { GROUP, GROUP "-2" };

static int plan_instance(struct host *host, const char *name)
{
	const struct change folder = { .kind = CHANGE_FOLDER, .subject = SUBJECT_TRACEPOINT };
	const struct change inside = { .kind = CHANGE_TEXT, .subject = SUBJECT_TRACEPOINT, .flags = CHANGE_GOES };
	const struct change buffer = { .kind = CHANGE_TEXT,
				       .subject = SUBJECT_TRACEPOINT,
				       .flags = CHANGE_GOES | CHANGE_ROUNDED };
	char *path = host_path(host, TRACING "/instances/%s", name);
	int err;

	if (path && file_is(path)) {
		free(path);
		return lines_add(&host->lacking,
				 "tracepoint: " TRACING
				 "/instances/%s is there already, and not by this journal: rmdir it, "
				 "and apply again",
				 name);
	}
	err = plan_new(host, folder, path, "absent", "there");
	if (!err)
		err = plan_new(host, buffer, host_path(host, TRACING "/instances/%s/buffer_size_kb", name), "", "1");
	if (!err)
		err = plan_new(host, inside, host_path(host, TRACING "/instances/%s/" EVENT "/filter", name), "none",
			       NEVER);
	if (!err)
		err = plan_new(host, inside, host_path(host, TRACING "/instances/%s/" EVENT "/enable", name), "0", "1");
	return err;
}

/* Since 6.12 virtualization is switched on where KVM is loaded, and not by the first VM and off by the last. */
static int plan_virtualization(struct host *host)
{
	char *path = host_path(host, "/sys/module/kvm/parameters/enable_virt_at_load");
	char *value = path ? file_get(path) : NULL;
	int err = 0;

	if (!value)
		err = lines_add(
			&host->lacking,
			"virtualization: this kernel has no kvm.enable_virt_at_load (6.12 has): the first VM's start "
			"and the last one's end interrupt every core");
	else if (strcmp(value, "Y") != 0)
		err = lines_add(
			&host->lacking,
			"virtualization: kvm.enable_virt_at_load is %s: the first VM's start and the last one's end "
			"interrupt every core",
			value);
	free(value);
	free(path);
	return err;
}

int plan_tracepoint(struct host *host)
{
	char *event = host_path(host, TRACING "/" EVENT);
	char *folder = host_path(host, TRACING "/instances");
	int err = event && folder ? 0 : -ENOMEM;

	if (!err && !(file_is(event) && file_is(folder)))
		err = lines_add(&host->lacking, "tracepoint: no " TRACING "/" EVENT
						": load KVM and mount tracefs there, or each VM's start "
						"and end interrupts every core");
	else
		for (size_t i = 0; !err && i < sizeof(instances) / sizeof(instances[0]); i++)
			err = plan_instance(host, instances[i]);
	free(folder);
	free(event);
	return err ? err : plan_virtualization(host);
}
