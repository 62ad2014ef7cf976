// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says of a VM's function, while the VM runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "sriov/internal.h"

static int member_count(void *ctx, const char *name)
{
	char class[SYSFS_TEXT];

	if (sysfs_read(class, PCI_DEVICES "%s/class", name) || strncmp(class, "0x06", 4) != 0)
		++*(unsigned int *)ctx;
	return 0;
}

static bool settings_tell(const struct function *function, char *text, size_t size)
{
	struct vf_settings found;
	char mac[18], rate[32] = "no rate limit";
	const char *differs;

	if (vf_read(function->interface, function->vf, &found)) {
		snprintf(text, size, ", its settings not to be read in %s", function->interface);
		return false;
	}
	mac_print(mac, found.mac);
	if (found.rate)
		snprintf(rate, sizeof(rate), "%u Mbit/s", found.rate);
	differs = vf_differs(&found, &function->request.settings);
	snprintf(text, size, ", MAC %s, VLAN %u, %s, spoof check %s, trust %s%s%s", mac, found.vlan, rate,
		 found.spoof_check ? "on" : "off", found.trust ? "on" : "off", differs ? "; not as asked: " : "",
		 differs ? differs : "");
	return !differs;
}

bool function_evidence(const struct function *function, char text[FUNCTION_TEXT_MAX])
{
	char driver[SYSFS_TEXT] = "none", group[SYSFS_TEXT] = "none", path[512];
	unsigned int members = 0;
	bool held;
	size_t used;

	sysfs_link(driver, PCI_DEVICES "%s/driver", function->address);
	sysfs_link(group, PCI_DEVICES "%s/iommu_group", function->address);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/iommu_group/devices", function->address);
	sysfs_each(path, member_count, &members);
	held = strcmp(driver, "vfio-pci") == 0 && members >= 1;
	used = (size_t)snprintf(text, FUNCTION_TEXT_MAX, "%s: %.16s, group %.8s%s", function->address, driver, group,
				members == 1 ? " alone" : "");
	if (function->request.kind == FUNCTION_NETWORK)
		held &= settings_tell(function, text + used, FUNCTION_TEXT_MAX - used);
	return held;
}

int function_settings(const struct function *function, struct vf_settings *settings, char mac[18])
{
	int err = -ENOENT;

	if (function->request.kind == FUNCTION_NETWORK)
		err = vf_read(function->interface, function->vf, settings);
	if (!err)
		mac_print(mac, settings->mac);
	return err;
}
