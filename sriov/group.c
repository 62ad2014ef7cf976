// SPDX-License-Identifier: GPL-2.0-only
/* What must hold so that a function can be a VM's: an IOMMU, a group without others, a reset that clears it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sriov/internal.h"

#define UNSAFE "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

int host_check(const char *where)
{
	char text[SYSFS_TEXT];

	if (geteuid() != 0)
		return fail(-EPERM, "%s: only root can take PCI functions from the host", where);
	if (!sysfs_is(PCI_DRIVERS "vfio-pci") || !sysfs_is("/dev/vfio/vfio"))
		return fail(-ENODEV, "%s: vfio-pci isn't loaded: modprobe vfio-pci", where);
	/* with it the kernel would let a device raise any interrupt of the host's */
	if (!sysfs_read(text, UNSAFE) && *text == 'Y')
		return fail(-EPERM, "%s: " UNSAFE " is Y: interrupts that aren't remapped are never used: wanted N",
			    where);
	return 0;
}

static bool is_ours(const struct functions *functions, const char *address)
{
	for (unsigned int i = 0; i < functions->count; i++)
		if (strcmp(functions->list[i].address, address) == 0)
			return true;
	return false;
}

struct group_look {
	const struct functions *functions;
	const struct function *function;
	const char *group;
};

/* Bridges do no DMA of their own; the VM's other functions may well be together with this one. */
static int member_check(void *ctx, const char *name)
{
	const struct group_look *look = ctx;
	char class[SYSFS_TEXT], driver[SYSFS_TEXT];

	if (is_ours(look->functions, name))
		return 0;
	if (!sysfs_read(class, PCI_DEVICES "%s/class", name) && strncmp(class, "0x06", 4) == 0)
		return 0;
	if (sysfs_link(driver, PCI_DEVICES "%s/driver", name))
		strcpy(driver, "none");
	return fail(
		-EBUSY,
		"functions: %s: its IOMMU group %s also holds %s (driver %s), which could reach the VM's memory: give "
		"it to this VM too, or use a slot whose ports have ACS",
		look->function->address, look->group, name, driver);
}

static int reset_check(const struct function *function)
{
	char methods[SYSFS_TEXT];

	if (sysfs_read(methods, PCI_DEVICES "%s/reset_method", function->address))
		methods[0] = '\0';
	/* the first is what is used; drivers/pci/pci.c, pci_reset_fn_methods[] */
	if (strncmp(methods, "device_specific", 15) == 0 || strncmp(methods, "flr", 3) == 0 ||
	    strncmp(methods, "af_flr", 6) == 0)
		return 0;
	return fail(-EOPNOTSUPP,
		    "functions: %s: its reset method is %s: wanted a function level reset (flr), without which what a "
		    "VM left in it would be the next one's",
		    function->address, *methods ? methods : "none");
}

int function_check(const struct functions *functions, const struct function *function)
{
	char group[SYSFS_TEXT], name[SYSFS_TEXT], path[512];
	struct group_look look = { functions, function, group };
	int err;

	if (sysfs_link(group, PCI_DEVICES "%s/iommu_group", function->address))
		return fail(-ENODEV,
			    "functions: %s: no IOMMU translates for it: wanted intel_iommu=on on the kernel's command "
			    "line (or an AMD IOMMU), and VT-d or AMD-Vi on in the firmware",
			    function->address);
	if (!sysfs_read(name, PCI_DEVICES "%s/iommu_group/name", function->address) && strstr(name, "noiommu"))
		return fail(-EPERM, "functions: %s: its group is one without an IOMMU, which is never used",
			    function->address);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/iommu_group/devices", function->address);
	err = sysfs_each(path, member_check, &look);
	return err ? err : reset_check(function);
}
