// SPDX-License-Identifier: GPL-2.0-only
/* Where the VM's functions are, before it is known which they will be: a card's virtual ones are where the card is. */
#include "sriov/internal.h"

/* Documentation/ABI/testing/sysfs-bus-pci, numa_node: -1 where the firmware doesn't say. */
static int node_of_pci(const char *sysfs, const char *address)
{
	return (int)sysfs_number("%s/bus/pci/devices/%s/numa_node", sysfs, address);
}

/* A card is named by its interface or by its address, as functions_choose has it. */
static int node_of_function(const char *sysfs, const struct function_request *request)
{
	char address[FUNCTION_ADDRESS_MAX];
	int node;

	if (request->kind == FUNCTION_PCI)
		return node_of_pci(sysfs, request->address);
	if (request->kind == FUNCTION_NVME)
		return address_parse(request->controller, address)
			       ? (int)sysfs_number("%s/class/nvme/%s/numa_node", sysfs, request->controller)
			       : node_of_pci(sysfs, address);
	node = (int)sysfs_number("%s/class/net/%s/device/numa_node", sysfs, request->pf);
	if (node >= 0 || address_parse(request->pf, address))
		return node;
	return node_of_pci(sysfs, address);
}

int near_functions(const char *sysfs, const struct function_request *requests, unsigned int count)
{
	int node = -1;

	for (unsigned int i = 0; node < 0 && i < count; i++)
		node = node_of_function(sysfs, &requests[i]);
	return node;
}
