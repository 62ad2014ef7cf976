// SPDX-License-Identifier: GPL-2.0-only
/* Which functions a VM gets, before anything is changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

static int name_take(void *ctx, const char *name)
{
	snprintf(ctx, FUNCTION_PF_MAX, "%.*s", FUNCTION_PF_MAX - 1, name);
	return 1;
}

/* What the configuration calls the card: its interface, or its address. */
static int card_find(struct function *function)
{
	const char *pf = function->request.pf;
	char device[SYSFS_TEXT];

	if (!sysfs_link(device, "/sys/class/net/%s/device", pf) && !address_parse(device, function->pf)) {
		memcpy(function->interface, function->request.pf, sizeof(function->interface));
		return 0;
	}
	if (sysfs_is("/sys/class/net/%s", pf))
		return fail(-ENODEV, "functions: pf: \"%s\": not a PCI device's: wanted a network card's interface",
			    pf);
	if (address_parse(pf, function->pf) || !sysfs_is(PCI_DEVICES "%s", function->pf))
		return fail(-ENODEV, "functions: pf: \"%s\": no such interface, nor PCI function, on this host", pf);
	return 0;
}

/* How many virtual functions there are or can be. */
static int card_check(struct function *function)
{
	const char *pf = function->request.pf;
	long long total = sysfs_number(PCI_DEVICES "%s/sriov_totalvfs", function->pf);
	long long now = sysfs_number(PCI_DEVICES "%s/sriov_numvfs", function->pf);
	char of[SYSFS_TEXT], path[SYSFS_TEXT];

	if (total < 0 && !sysfs_link(of, PCI_DEVICES "%s/physfn", function->pf))
		return fail(-ENODEV, "functions: pf: \"%s\": a virtual function itself: wanted its card, %s", pf, of);
	if (total < 0)
		return fail(-ENODEV, "functions: pf: \"%s\": it has no SR-IOV: wanted a card that has, or \"pci\"", pf);
	if (total == 0)
		return fail(-ENODEV,
			    "functions: pf: \"%s\": it can make no virtual functions: is SR-IOV off in its firmware?",
			    pf);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/net", function->pf);
	if (!*function->interface && sysfs_each(path, name_take, function->interface) <= 0)
		return fail(-ENODEV,
			    "functions: pf: \"%s\": it has no network interface: wanted a network card that its driver "
			    "has bound",
			    pf);
	return (int)(now > 0 ? now : total);
}

/*
 * PCI Express, Single Root I/O Virtualization 1.1, 2.1.2: routing ids. They hold before there are any functions, so
 * that one can be promised to a VM first.
 */
static int vf_address(const char *pf, unsigned int vf, char address[FUNCTION_ADDRESS_MAX])
{
	long long offset = sysfs_number(PCI_DEVICES "%s/sriov_offset", pf);
	long long stride = sysfs_number(PCI_DEVICES "%s/sriov_stride", pf);
	unsigned int domain, bus, slot, function;
	unsigned long long id;

	if (offset < 0 || stride < 0 || sscanf(pf, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return -ENODEV;
	id = (bus << 8 | slot << 3 | function) + (unsigned long long)offset + (unsigned long long)stride * vf;
	snprintf(address, FUNCTION_ADDRESS_MAX, "%04x:%02x:%02x.%x", domain & 0xffff, (unsigned int)(id >> 8 & 0xff),
		 (unsigned int)(id >> 3 & 0x1f), (unsigned int)(id & 7));
	return 0;
}

/* Named as the configuration does. */
static struct claim claim_of(const char *address, enum function_kind kind)
{
	static const char *const names[] = {
		[FUNCTION_NETWORK] = "network", [FUNCTION_PCI] = "pci", [FUNCTION_NVME] = "nvme"
	};
	struct claim claim = { .mode = CLAIM_ALONE };

	snprintf(claim.what, sizeof(claim.what), "function %s", address);
	snprintf(claim.note, sizeof(claim.note), "%s", names[kind]);
	return claim;
}

static bool is_ours(const struct functions *functions, const char *address)
{
	for (unsigned int i = 0; i < functions->count; i++)
		if (strcmp(functions->list[i].address, address) == 0)
			return true;
	return false;
}

/* Why it can't be had, into @why, or "". */
static void vf_judge(const struct functions *functions, const char *address, const struct claims *claims, char *why,
		     size_t size)
{
	const struct claim claim = claim_of(address, FUNCTION_NETWORK);
	const struct claim_holder *holder = claims_find(&claims->others, claim.what, NULL);
	char driver[SYSFS_TEXT], net[SYSFS_TEXT], interface[FUNCTION_PF_MAX] = "";

	*why = '\0';
	if (is_ours(functions, address)) {
		snprintf(why, size, "this VM's");
	} else if (holder) {
		snprintf(why, size, "VM %s's", holder->vm);
	} else if (!sysfs_link(driver, PCI_DEVICES "%s/driver", address)) {
		snprintf(net, sizeof(net), PCI_DEVICES "%s/net", address);
		sysfs_each(net, name_take, interface);
		snprintf(why, size, "driver %.32s%s%s", driver, *interface ? ", interface " : "", interface);
	}
}

/* The first virtual function that is nobody's. */
static int vf_choose(struct functions *functions, struct function *function, struct claims *claims)
{
	int count = card_find(function) ? -ENODEV : card_check(function);
	char why[128], all[512] = "";
	struct claim claim;

	for (function->vf = 0; count >= 0 && function->vf < (unsigned int)count; function->vf++) {
		size_t used = strlen(all);

		if (vf_address(function->pf, function->vf, function->address))
			return fail(-ENODEV, "functions: %s: sriov_offset and sriov_stride: not to be read",
				    function->pf);
		vf_judge(functions, function->address, claims, why, sizeof(why));
		if (!*why) {
			claim = claim_of(function->address, FUNCTION_NETWORK);
			return claims_add(claims, &claim, "functions");
		}
		snprintf(all + used, sizeof(all) - used, "%s%s: %s", used ? ", " : "", function->address, why);
	}
	return count < 0 ? count
			 : fail(-EBUSY, "functions: pf: \"%s\": none of its %d virtual functions is free: %s",
				function->request.pf, count, all);
}

/* An interface that is up is the host's; a driver of another kind may have begun anything. */
static int pci_in_use(const char *address)
{
	char driver[SYSFS_TEXT], path[SYSFS_TEXT], interface[FUNCTION_PF_MAX] = "";

	if (sysfs_link(driver, PCI_DEVICES "%s/driver", address) || strcmp(driver, "pci-stub") == 0)
		return 0;
	if (strcmp(driver, "vfio-pci") == 0)
		return fail(-EBUSY,
			    "functions: pci: %s has the driver vfio-pci already, and isn't a VM's of nohype: is "
			    "another program using it? If not, unbind it first",
			    address);
	snprintf(path, sizeof(path), PCI_DEVICES "%s/net", address);
	if (sysfs_each(path, name_take, interface) <= 0)
		return fail(-EBUSY,
			    "functions: pci: %s has the driver %s, which may be using it: wanted it unbound (echo %s "
			    ">" PCI_DRIVERS "%s/unbind)",
			    address, driver, address, driver);
	if (sysfs_number("/sys/class/net/%s/flags", interface) & 1)
		return fail(-EBUSY,
			    "functions: pci: %s is the host's interface %s, which is up: wanted it down (ip link "
			    "set %s down)",
			    address, interface, interface);
	return 0;
}

static int pci_choose(struct function *function, struct claims *claims)
{
	const struct claim claim = claim_of(function->request.address, FUNCTION_PCI);
	const char *address = function->request.address;
	char class[SYSFS_TEXT];

	strcpy(function->address, address);
	if (sysfs_read(class, PCI_DEVICES "%s/class", address))
		return fail(-ENODEV, "functions: pci: %s: no such function on this host", address);
	if (strncmp(class, "0x06", 4) == 0)
		return fail(-EINVAL, "functions: pci: %s is a bridge: wanted what is behind it", address);
	if (sysfs_number(PCI_DEVICES "%s/sriov_numvfs", address) > 0)
		return fail(-EBUSY,
			    "functions: pci: %s has virtual functions: wanted it without (echo 0 >" PCI_DEVICES
			    "%s/sriov_numvfs)",
			    address, address);
	/* another VM's is told as that, not by its driver */
	return claims_add(claims, &claim, "functions") ? -EBUSY : pci_in_use(address);
}

/* The whole controller; what is in it before and after the VM is the supervisor's business. */
static int nvme_choose(struct function *function, struct claims *claims)
{
	char class[SYSFS_TEXT];
	struct claim claim;
	int err = controller_address(function->request.controller, function->address);

	if (err)
		return err;
	if (sysfs_read(class, PCI_DEVICES "%s/class", function->address))
		return fail(-ENODEV, "functions: controller: %s: no such function on this host", function->address);
	if (strcmp(class, "0x010802") !=
	    0) /* PCI Code and ID Assignment: mass storage, NVM, NVM Express I/O controller */
		return fail(-EINVAL, "functions: controller: %s is no NVMe controller (its class is %s)",
			    function->address, class);
	if (sysfs_number(PCI_DEVICES "%s/sriov_numvfs", function->address) > 0)
		return fail(-EBUSY,
			    "functions: controller: %s has virtual functions: wanted it without (echo 0 >" PCI_DEVICES
			    "%s/sriov_numvfs)",
			    function->address, function->address);
	claim = claim_of(function->address, FUNCTION_NVME);
	return claims_add(claims, &claim, "functions") ? -EBUSY : controller_check(function);
}

static void mac_choose(struct function *function, const char *vm, unsigned int nth)
{
	char host[SYSFS_TEXT] = "";

	if (!function->request.mac_auto)
		return;
	sysfs_read(host, "/etc/machine-id"); /* where there is none, the VM's name must do */
	mac_derive(vm, nth, host, function->request.settings.mac);
}

int functions_choose(struct functions *functions, const struct function_request *requests, unsigned int count,
		     const char *vm, struct claims *claims)
{
	int err = host_check("functions");

	for (unsigned int i = 0; !err && i < count; i++) {
		struct function *function = &functions->list[i];

		*function = (struct function){
			.request = requests[i], .group_fd = -1, .device_fd = -1, .request_fd = -1, .error_fd = -1
		};
		memset(function->eventfds, 0xff, sizeof(function->eventfds));
		if (function->request.kind == FUNCTION_NETWORK)
			err = vf_choose(functions, function, claims);
		else if (function->request.kind == FUNCTION_NVME)
			err = nvme_choose(function, claims);
		else
			err = pci_choose(function, claims);
		mac_choose(function, vm, i);
		if (!err)
			functions->count++;
	}
	/* those that are made later are looked at then */
	for (unsigned int i = 0; !err && i < functions->count; i++)
		if (sysfs_is(PCI_DEVICES "%s", functions->list[i].address))
			err = function_check(functions, &functions->list[i]);
	return err;
}
