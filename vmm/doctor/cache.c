// SPDX-License-Identifier: GPL-2.0-only
/* Shares of cache and bandwidth. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/doctor/internal.h"

#define RESCTRL	   "/sys/fs/resctrl"
#define CPU_FOLDER "/sys/devices/system/cpu/"

/* The folder is there if the kernel has it and the processor anything of it (fs/resctrl: sysfs_create_mount_point). */
static bool resctrl_exists(const struct doctor *doctor)
{
	return path_exists(doctor, RESCTRL);
}

/* Of no matter, unless a VM asks for a share. */
static enum check_status not_had(const struct doctor *doctor, const struct check *check)
{
	return check_decides(doctor, check) ? CHECK_BAD : CHECK_NOTE;
}

void look_resctrl(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (path_exists(doctor, RESCTRL "/schemata"))
		found(finding, CHECK_OK, "mounted");
	else if (resctrl_exists(doctor))
		found(finding, CHECK_BAD, "not mounted");
	else
		found(finding, not_had(doctor, check), "not to be had: the processor or the kernel has none");
}

void look_resctrl_info(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[256], *at = text;
	ssize_t len = value_read(doctor, check->source, text, sizeof(text));

	if (len == 0) {
		found(finding, CHECK_UNKNOWN, "%s: empty", check->source);
	} else if (len > 0) {
		/* names of events, one a line */
		while ((at = strchr(at, '\n')))
			*at++ = ' ';
		found(finding, CHECK_OK, "%.120s", text);
	} else if (len != -ENOENT) {
		found_unread(finding, check->source, (int)len);
	} else if (path_exists(doctor, RESCTRL "/schemata")) {
		found(finding, CHECK_BAD, "this processor has none");
	} else if (resctrl_exists(doctor)) {
		found(finding, CHECK_UNKNOWN, "to be seen when " RESCTRL " is mounted");
	} else {
		found(finding, not_had(doctor, check), "not to be had: the processor or the kernel has none");
	}
}

/* The last cache that a core has: index3, or what has the highest number. */
void look_shared_cache(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	cpu_set_t set, sharing, all;
	char path[PATH_SIZE], text[80];
	unsigned int caches = 0;

	CPU_ZERO(&all);
	for (int cpu = core_next(doctor, -1); cpu >= 0; cpu = core_next(doctor, cpu))
		for (int index = 3; index >= 2; index--) {
			snprintf(path, sizeof(path), CPU_FOLDER "cpu%d/cache/index%d/shared_cpu_list", cpu, index);
			if (list_read(doctor, path, &set))
				continue;
			CPU_OR(&all, &all, &set);
			caches++;
			break;
		}
	CPU_AND(&sharing, &all, &doctor->others);
	if (!caches)
		found_unread(finding, check->source, -ENOENT);
	else if (CPU_COUNT(&sharing))
		found(finding, CHECK_NOTE, "shared with the host's %s", list_text(&sharing, text, sizeof(text)));
	else
		found(finding, CHECK_OK, "shared with none of the host's");
}
