// SPDX-License-Identifier: GPL-2.0-only
/* From the host to the VM, and back: what has to be done under the lock of all VMs, in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

static int override_set(struct functions *functions, const char *address)
{
	char path[SYSFS_TEXT], old[SYSFS_TEXT];
	int err;

	snprintf(path, sizeof(path), PCI_DEVICES "%s/driver_override", address);
	err = sysfs_read(old, "%s", path);
	if (!err)
		err = record_file(functions, path, strcmp(old, "(null)") == 0 ? "" : old, "vfio-pci");
	return err ? err : sysfs_write("vfio-pci", "%s", path);
}

static int function_bind(struct functions *functions, const struct function *function)
{
	const char *address = function->address;
	char driver[SYSFS_TEXT] = "", now[SYSFS_TEXT] = "";
	int err;

	sysfs_link(driver, PCI_DEVICES "%s/driver", address);
	err = record_driver(functions, address, driver);
	if (!err)
		err = override_set(functions, address);
	if (!err && *driver)
		err = sysfs_write(address, PCI_DRIVERS "%s/unbind", driver);
	if (!err)
		err = sysfs_write(address, "/sys/bus/pci/drivers_probe");
	sysfs_link(now, PCI_DEVICES "%s/driver", address);
	if (err || strcmp(now, "vfio-pci") != 0)
		return fail(err ? err : -ENODEV, "functions: bind %s to vfio-pci: %s; its driver is %s", address,
			    err ? strerror(-err) : "refused (the kernel's log says why)", *now ? now : "none");
	return 0;
}

struct mac_look {
	const uint8_t *mac;
	const char *address;
};

static int interface_has_mac(void *ctx, const char *name)
{
	const struct mac_look *look = ctx;
	char text[SYSFS_TEXT], wanted[18];

	mac_print(wanted, look->mac);
	if (sysfs_read(text, "/sys/class/net/%s/address", name) || strcmp(text, wanted) != 0)
		return 0;
	return fail(-EADDRINUSE, "functions: %s: mac: %s: the host's interface %s has it", look->address, wanted, name);
}

/* Two with one address on one wire: neither would get its packets. */
static int mac_check(const struct function *function)
{
	struct mac_look look = { function->request.settings.mac, function->address };
	int err = sysfs_each("/sys/class/net", interface_has_mac, &look);
	struct vf_settings other;
	char mac[18];

	mac_print(mac, look.mac);
	for (unsigned int i = 0; !err && sysfs_is(PCI_DEVICES "%s/virtfn%u", function->pf, i); i++)
		if (i != function->vf && !vf_read(function->interface, i, &other) &&
		    memcmp(other.mac, look.mac, sizeof(other.mac)) == 0)
			err = fail(-EADDRINUSE, "functions: %s: mac: %s: virtual function %u of %s has it",
				   function->address, mac, i, function->interface);
	return err;
}

/* A card whose link has just come up says its speed when it has one. */
static int rate_check(const struct function *function)
{
	uint32_t rate = function->request.settings.rate;
	long long speed = -1;

	if (!rate)
		return 0;
	for (int i = 0; i < 100 && speed <= 0; i++) {
		if (i)
			usleep(100000);
		speed = sysfs_number("/sys/class/net/%s/speed", function->interface);
	}
	if (speed <= 0)
		return fail(-ENETDOWN,
			    "functions: %s: rate: %u Mbit/s: the link of %s is down, and its speed not known",
			    function->address, rate, function->interface);
	return rate > speed ? fail(-ERANGE, "functions: %s: rate: %u Mbit/s: the link of %s has %lld",
				   function->address, rate, function->interface, speed)
			    : 0;
}

/* What there is of it beside what was asked stays as the card has it. */
static int settings_apply(struct functions *functions, struct function *function)
{
	struct vf_settings old, found, *wanted = &function->request.settings;
	const char *differs;
	int err = vf_read(function->interface, function->vf, &old);

	if (err)
		return fail(err, "functions: %s: its settings in %s: %s", function->address, function->interface,
			    strerror(-err));
	wanted->protocol = old.protocol;
	err = mac_check(function);
	if (!err)
		err = rate_check(function);
	if (!err)
		err = record_settings(functions, function, &old);
	if (!err)
		err = vf_write(function->interface, function->vf, &old, wanted);
	if (err)
		return err;
	err = vf_read(function->interface, function->vf, &found);
	differs = err ? "all" : vf_differs(&found, wanted);
	return differs ? fail(-EIO, "functions: %s: %s was set, and is another when read back", function->address,
			      differs)
		       : 0;
}

static int function_take(struct functions *functions, struct function *function)
{
	bool network = function->request.kind == FUNCTION_NETWORK;
	int err = network ? card_take(functions, function) : 0;

	if (!err)
		err = function_check(functions, function);
	if (!err && network)
		err = settings_apply(functions, function);
	return err ? err : function_bind(functions, function);
}

int functions_take(struct functions *functions)
{
	unsigned int vms;
	int lock, err;

	if (!functions->count)
		return 0;
	functions_recover(functions->state, &vms);
	lock = records_lock(functions->state);
	if (lock < 0)
		return lock;
	err = record_open(functions);
	for (unsigned int i = 0; !err && i < functions->count; i++)
		err = function_take(functions, &functions->list[i]);
	if (!err)
		err = vfio_open(functions);
	if (err) {
		vfio_close(functions);
		record_close(functions);
	}
	close(lock);
	return err;
}

void functions_give_back(struct functions *functions)
{
	int lock;

	vfio_close(functions);
	if (functions->record_fd < 0)
		return;
	lock = records_lock(functions->state);
	record_close(functions);
	fd_close(&lock);
}
