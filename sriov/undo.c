// SPDX-License-Identifier: GPL-2.0-only
/* The way back of each kind of change. What somebody else has set since is left as it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

static void file_undo(char *text)
{
	char *path = strsep(&text, "\t"), *old = strsep(&text, "\t"), *new = text, now[SYSFS_TEXT];
	int err;

	if (!new || sysfs_read(now, "%s", path) || strcmp(now, new) != 0)
		return;
	err = sysfs_write(*old ? old : "\n", "%s", path);
	if (err)
		warn("functions: \"%s\": \"%s\" to be written: %s", path, old, strerror(-err));
}

static void driver_undo(const char *address, const char *old)
{
	char now[SYSFS_TEXT] = "";
	int err = 0;

	if (!sysfs_is(PCI_DEVICES "%s", address))
		return;
	sysfs_link(now, PCI_DEVICES "%s/driver", address);
	if (strcmp(now, "vfio-pci") == 0)
		err = sysfs_write(address, PCI_DRIVERS "vfio-pci/unbind");
	if (!err && strcmp(old, "-") != 0 && strcmp(now, old) != 0)
		err = sysfs_write(address, PCI_DRIVERS "%s/bind", old);
	if (err)
		warn("functions: %s: back from vfio-pci to %s: %s", address, strcmp(old, "-") == 0 ? "none" : old,
		     strerror(-err));
}

static void settings_undo(const char *text)
{
	struct vf_settings old = { 0 }, now;
	char interface[FUNCTION_PF_MAX], mac[18];
	unsigned int vf, spoof_check, trust;

	if (sscanf(text, "%15s %u %17s %hu %hu %hu %u %u %u %u %u", interface, &vf, mac, &old.vlan, &old.qos,
		   &old.protocol, &old.rate, &old.min_rate, &spoof_check, &trust, &old.link) != 11)
		return;
	old.spoof_check = spoof_check;
	old.trust = trust;
	if (mac_parse(mac, old.mac) == -EINVAL) /* all zero is none */
		return;
	if (!vf_read(interface, vf, &now))
		vf_write(interface, vf, &now, &old);
}

void line_undo(char *line)
{
	char address[FUNCTION_ADDRESS_MAX], old[64];

	if (strncmp(line, "file ", 5) == 0)
		file_undo(line + 5);
	else if (sscanf(line, "driver %15s %63s", address, old) == 2)
		driver_undo(address, old);
	else if (strncmp(line, "vf ", 3) == 0)
		settings_undo(line + 3);
	/* "card" is for whoever comes after the last user */
}
