// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI Express Access Control Services: do the ports above devices keep them from talking to each other past the IOMMU?
 * Linux' own rule for groups (drivers/iommu/iommu.c): Source Validation, Request Redirect, Completion Redirect and
 * Upstream Forwarding, of root ports and switches' downstream ports.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/doctor/internal.h"

#define PCI_DEVICES   "/sys/bus/pci/devices"
#define CONFIG_SIZE   4096
#define CONFIG_PUBLIC 64   /* what everyone may read (drivers/pci/pci-sysfs.c, pci_read_config()) */
#define CONFIG_OLD    256  /* what is Express is behind it */
#define CAP_POINTER   0x34 /* linux/pci_regs.h, from here on */
#define CAP_EXPRESS   0x10
#define EXT_CAP_ACS   0x0d
#define ACS_CONTROL   6
#define ACS_WANTED    0x1d /* SV, RR, CR, UF */
#define PORT_ROOT     4
#define PORT_DOWN     6
#define CAPS_MAX      64 /* more would be a loop */

struct config {
	uint8_t bytes[CONFIG_SIZE];
	size_t size;
};

static unsigned int word_at(const struct config *config, size_t at)
{
	return at + 1 < config->size ? config->bytes[at] | (unsigned int)config->bytes[at + 1] << 8 : 0;
}

/* The kind of port, or -1 for what isn't Express. */
static int port_kind(const struct config *config)
{
	size_t at = word_at(config, CAP_POINTER) & 0xfc;

	for (int i = 0; at && i < CAPS_MAX; i++) {
		unsigned int head = word_at(config, at);

		if ((head & 0xff) == CAP_EXPRESS)
			return (int)(word_at(config, at + 2) >> 4 & 0xf);
		at = head >> 8 & 0xfc;
	}
	return -1;
}

/* ACS' control register, or -1: it has none. */
static int acs_control(const struct config *config)
{
	size_t at = CONFIG_OLD;

	for (int i = 0; at >= CONFIG_OLD && at + 8 <= config->size && i < CAPS_MAX; i++) {
		if (word_at(config, at) == EXT_CAP_ACS)
			return (int)word_at(config, at + ACS_CONTROL);
		at = word_at(config, at + 2) >> 4 & 0xffc;
	}
	return -1;
}

struct ports {
	struct names open;
	unsigned int count, unread;
};

static void port_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	struct ports *ports = ctx;
	struct config config = { .size = 0 };
	char path[PATH_SIZE];
	ssize_t got;
	int fd, kind, control;

	snprintf(path, sizeof(path), PCI_DEVICES "/%.64s/config", name);
	fd = path_open(doctor, path);
	got = fd < 0 ? -1 : read(fd, config.bytes, sizeof(config.bytes));
	if (fd >= 0)
		close(fd);
	config.size = got > 0 ? (size_t)got : 0;
	if (config.size <= CONFIG_PUBLIC)
		ports->unread++;
	kind = port_kind(&config);
	if (kind != PORT_ROOT && kind != PORT_DOWN)
		return;
	ports->count++;
	control = acs_control(&config);
	if (control < 0 || (control & ACS_WANTED) != ACS_WANTED)
		name_add(&ports->open, control < 0 ? "%.16s has none" : "%.16s has it off", name);
}

void look_acs(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct ports ports = { 0 };
	int count = entries_each(doctor, PCI_DEVICES, port_judge, &ports);

	if (count < 0 && count != -ENOENT)
		found_unread(finding, check->source, count);
	else if (ports.unread)
		found(finding, CHECK_UNKNOWN, "configuration space is for CAP_SYS_ADMIN to read");
	else if (ports.open.count)
		found(finding, CHECK_BAD, "%s", names_end(&ports.open));
	else
		found(finding, CHECK_OK, "on for %u ports", ports.count);
}
