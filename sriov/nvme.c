// SPDX-License-Identifier: GPL-2.0-only
/* NVMe controllers of the host's, and which of them a VM can have: Documentation/ABI/stable/sysfs-class-nvme and so on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sriov/internal.h"

#define CONTROLLERS "/sys/class/nvme/"
#define SUBSYSTEMS  "/sys/class/nvme-subsystem/"

int controller_address(const char *controller, char address[FUNCTION_ADDRESS_MAX])
{
	char text[SYSFS_TEXT];

	if (!address_parse(controller, address))
		return 0;
	if (sysfs_read(text, CONTROLLERS "%s/transport", controller))
		return fail(-ENODEV,
			    "functions: controller: \"%s\": no such NVMe controller on this host: wanted one as nvme0, "
			    "or its address, which says more where another VM has it",
			    controller);
	if (strcmp(text, "pcie") != 0)
		return fail(-ENODEV, "functions: controller: \"%s\": it is reached by %s: wanted one on PCI Express",
			    controller, text);
	if (sysfs_link(text, CONTROLLERS "%s/device", controller) || address_parse(text, address))
		return fail(-ENODEV, "functions: controller: \"%s\": no PCI function", controller);
	return 0;
}

static int name_keep(void *ctx, const char *name)
{
	snprintf(ctx, NAMESPACE_NAME, "%.*s", NAMESPACE_NAME - 1, name);
	return 1;
}

int controller_name(const char *address, char name[NAMESPACE_NAME])
{
	char path[SYSFS_TEXT];

	*name = '\0';
	snprintf(path, sizeof(path), PCI_DEVICES "%s/nvme", address);
	return sysfs_each(path, name_keep, name) == 1 ? 0 : -ENODEV;
}

struct namespaces {
	unsigned int count;
	char name[NAMESPACE_NAME];
};

/* "nvme0n1"; or, where the kernel knows of several ways to one (multipath), "nvme0c2n1": nvme0n1 by controller 2. */
static int namespace_take(void *ctx, const char *name)
{
	struct namespaces *found = ctx;
	unsigned int subsystem, controller, number;
	int end = 0;

	if ((sscanf(name, "nvme%un%u%n", &subsystem, &number, &end) == 2 && !name[end]) ||
	    (sscanf(name, "nvme%uc%un%u%n", &subsystem, &controller, &number, &end) == 3 && !name[end])) {
		found->count++;
		snprintf(found->name, sizeof(found->name), "nvme%un%u", subsystem, number);
	}
	return 0;
}

int controller_namespaces(const char *controller, char name[NAMESPACE_NAME])
{
	struct namespaces found = { 0 };
	char path[SYSFS_TEXT];
	int err;

	snprintf(path, sizeof(path), CONTROLLERS "%s", controller);
	err = sysfs_each(path, namespace_take, &found);
	memcpy(name, found.name, NAMESPACE_NAME);
	return err < 0 ? err : (int)found.count;
}

struct sharing {
	const char *controller;
	char with[NAMESPACE_NAME];
};

static int member_other(void *ctx, const char *name)
{
	struct sharing *sharing = ctx;
	unsigned int number;
	int end = 0;

	if (sscanf(name, "nvme%u%n", &number, &end) != 1 || name[end] || strcmp(name, sharing->controller) == 0)
		return 0;
	name_keep(sharing->with, name);
	return 1;
}

static int subsystem_look(void *ctx, const char *name)
{
	struct sharing *sharing = ctx;
	char path[SYSFS_TEXT];

	snprintf(path, sizeof(path), SUBSYSTEMS "%.64s", name);
	return sysfs_is("%s/%s", path, sharing->controller) ? sysfs_each(path, member_other, sharing) : 0;
}

/* What another controller reaches too could be read and written there while it is a VM's. */
static int sharing_check(const char *address, const char *controller)
{
	struct sharing sharing = { .controller = controller };

	if (sysfs_each(SUBSYSTEMS, subsystem_look, &sharing) <= 0)
		return 0;
	return fail(-EBUSY,
		    "functions: controller: %s (%s) shares its subsystem with %s, which could reach its namespace: "
		    "wanted one alone",
		    controller, address, sharing.with);
}

int controller_check(const struct function *function)
{
	const char *address = function->address;
	char driver[SYSFS_TEXT] = "none", controller[NAMESPACE_NAME], name[NAMESPACE_NAME];
	struct namespace namespace;
	int count, err;

	sysfs_link(driver, PCI_DEVICES "%s/driver", address);
	if (strcmp(driver, "nvme") != 0 || controller_name(address, controller))
		return fail(-ENODEV,
			    "functions: controller: %s has the driver %s: wanted an NVMe controller that the host's "
			    "driver, nvme, has bound",
			    address, driver);
	count = controller_namespaces(controller, name);
	if (count != 1)
		return fail(-EINVAL,
			    "functions: controller: %s (%s) has %d namespaces: wanted one, which the image is for",
			    controller, address, count < 0 ? 0 : count);
	err = sharing_check(address, controller);
	if (err)
		return err;
	err = namespace_open(&namespace, address);
	if (err)
		return err == -ENODEV
			       ? fail(err, "functions: controller: %s (%s): its namespace is gone", controller, address)
			       : err;
	err = namespace_clear_check(&namespace, function->request.clear);
	namespace_close(&namespace);
	return err;
}
