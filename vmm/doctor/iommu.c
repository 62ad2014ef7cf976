// SPDX-License-Identifier: GPL-2.0-only
/* The IOMMU, and PCI functions behind it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/doctor/internal.h"

#define PCI_DEVICES "/sys/bus/pci/devices"
#define GROUPS	    "/sys/kernel/iommu_groups"
#define IOMMUS	    "/sys/class/iommu"

static void name_list(const struct doctor *doctor, const char *name, void *ctx)
{
	(void)doctor;
	name_add(ctx, "%.40s", name);
}

void look_iommu(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names names = { 0 };
	int count = entries_each(doctor, IOMMUS, name_list, &names);

	(void)check;
	if (count < 0 && count != -ENOENT)
		found_unread(finding, IOMMUS, count);
	else
		found(finding, names.count ? CHECK_OK : CHECK_BAD, "%s",
		      names.count ? names_end(&names) : "none is on");
}

void look_iommu_tables(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	bool intel = path_exists(doctor, "/sys/firmware/acpi/tables/DMAR"),
	     amd = path_exists(doctor, "/sys/firmware/acpi/tables/IVRS");

	(void)check;
	if (intel || amd)
		found(finding, CHECK_OK, "%s", intel ? "DMAR" : "IVRS");
	else if (!path_exists(doctor, "/sys/firmware/acpi/tables"))
		found(finding, CHECK_UNKNOWN, "/sys/firmware/acpi/tables: not there");
	else
		found(finding, CHECK_BAD, "the firmware describes none");
}

/* A device with functions, or one itself: who else is in its group? Bridges don't count: they do no DMA of their own.
 */
struct group {
	unsigned int others;
};

static void neighbour_count(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE], class[16];

	snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/class", name);
	if (value_read(doctor, path, class, sizeof(class)) > 0 && strncmp(class, "0x06", 4) != 0)
		((struct group *)ctx)->others++;
}

static void function_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE];
	struct group group = { 0 };

	snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/sriov_totalvfs", name);
	if (!path_exists(doctor, path))
		snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/physfn", name);
	if (!path_exists(doctor, path))
		return;
	snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/iommu_group/devices", name);
	if (entries_each(doctor, path, neighbour_count, &group) < 0)
		name_add(ctx, "%.16s has no group", name);
	else if (group.others > 1)
		name_add(ctx, "%.16s shares its group", name);
}

void look_groups(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names shared = { 0 }, groups = { 0 };
	int count = entries_each(doctor, GROUPS, name_list, &groups);
	int devices = entries_each(doctor, PCI_DEVICES, function_judge, &shared);

	if (count < 0 && count != -ENOENT)
		found_unread(finding, check->source, count);
	else if (count <= 0)
		found(finding, CHECK_BAD, "no groups: no IOMMU is on");
	else if (devices < 0)
		found_unread(finding, PCI_DEVICES, devices);
	else if (shared.count)
		found(finding, CHECK_BAD, "%s", names_end(&shared));
	else
		found(finding, CHECK_OK, "%d groups; each device with SR-IOV in one of its own", count);
}

/* Linux calls the chips so: "IR-PCI-MSI", "IR-IO-APIC". */
static bool remapped_line(const char *line, void *ctx)
{
	unsigned int *counts = ctx;

	if (strstr(line, " IR-"))
		counts[1]++;
	else if (strstr(line, "PCI-MSI") || strstr(line, "IO-APIC"))
		counts[0]++;
	return true;
}

void look_remapping(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	unsigned int counts[2] = { 0, 0 }; /* not remapped, remapped */
	int err = lines_each(doctor, check->source, remapped_line, counts);

	if (err < 0 || !err)
		found_unread(finding, check->source, err ? err : -EINVAL);
	else if (counts[0] + counts[1] == 0)
		found(finding, CHECK_UNKNOWN, "%s: no interrupt of a device in it", check->source);
	else
		found(finding, counts[0] ? CHECK_BAD : CHECK_OK,
		      counts[0] ? "not for all interrupts" : "for all interrupts");
}

/*
 * VT-d specification, Capability Register, bit 59: posted interrupts. AMD I/O Virtualization, Extended Feature
 * Register (the file features), bit 7: guest virtual APIC.
 */
static void posting_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	static const struct {
		const char *file;
		unsigned int bit;
	} kinds[] = { { "intel-iommu/cap", 59 }, { "amd-iommu/features", 7 } };
	char path[PATH_SIZE], text[64], *end;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		unsigned long long value;

		snprintf(path, sizeof(path), IOMMUS "/%.64s/%s", name, kinds[i].file);
		if (value_read(doctor, path, text, sizeof(text)) <= 0)
			continue;
		value = strtoull(text, &end, 16);
		if (!*end)
			name_add(ctx, value >> kinds[i].bit & 1 ? "%.16s posts" : "%.16s doesn't post", name);
	}
}

void look_posting(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names iommus = { 0 };
	int count = entries_each(doctor, IOMMUS, posting_judge, &iommus);

	(void)check;
	if (count < 0 && count != -ENOENT)
		found_unread(finding, IOMMUS, count);
	else if (count <= 0)
		found(finding, CHECK_BAD, "no IOMMU is on");
	else if (!iommus.count)
		found(finding, CHECK_UNKNOWN, IOMMUS ": no capabilities in it");
	else
		found(finding, strstr(names_end(&iommus), "doesn't") ? CHECK_BAD : CHECK_OK, "%s", iommus.text);
}

/* --- the host's own devices: do they go through the IOMMU? --- */

struct types {
	unsigned int identity, others;
	struct names unread;
};

static void type_count(const struct doctor *doctor, const char *name, void *ctx)
{
	struct types *types = ctx;
	char path[PATH_SIZE], type[32];

	snprintf(path, sizeof(path), GROUPS "/%.32s/type", name);
	if (value_read(doctor, path, type, sizeof(type)) <= 0)
		name_add(&types->unread, "%.16s", name);
	else if (strcmp(type, "identity") == 0)
		types->identity++;
	else
		types->others++;
}

void look_domain_types(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct types types = { 0 };
	int count = entries_each(doctor, GROUPS, type_count, &types);

	(void)check;
	if (count <= 0 && (!count || count == -ENOENT))
		found(finding, CHECK_BAD, "no IOMMU is on");
	else if (count < 0)
		found_unread(finding, GROUPS, count);
	else if (types.unread.count)
		found(finding, CHECK_UNKNOWN, GROUPS "/*/type: not to be read for %s", names_end(&types.unread));
	else
		found(finding, types.identity ? CHECK_BAD : CHECK_OK, "%u of %u groups reach all memory",
		      types.identity, types.identity + types.others);
}

void look_vfio(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	if (path_exists(doctor, check->source))
		found(finding, CHECK_OK, "there");
	else
		found(finding, CHECK_BAD, "vfio-pci isn't loaded");
}

static void sriov_find(const struct doctor *doctor, const char *name, void *ctx)
{
	char path[PATH_SIZE];
	long long total;

	snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/sriov_totalvfs", name);
	if (!number_read(doctor, path, &total) && total > 0)
		name_add(ctx, "%.16s: %lld", name, total);
}

void look_sriov(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct names devices = { 0 };
	int count = entries_each(doctor, PCI_DEVICES, sriov_find, &devices);

	if (count < 0 && count != -ENOENT)
		found_unread(finding, check->source, count);
	else if (devices.count)
		found(finding, CHECK_OK, "functions at most: %s", names_end(&devices));
	else
		found(finding, CHECK_NOTE, "no device with SR-IOV");
}
