// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card whose virtual functions are VMs': these can only be made all at once and removed all at once, so what the card
 * was like before stands in a record of its own, until the last VM has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

#define CARD	 "card."
#define CARD_MAX KIB(4)

static void card_path(char *path, size_t size, const char *state, const char *card)
{
	snprintf(path, size, "%s/" CARD "%s", state, card);
}

static int card_append(const char *path, const char *key, const char *value)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600), err;

	if (fd < 0)
		return -errno;
	err = line_append(fd, "%s %s\n", key, value);
	close(fd);
	return err;
}

/* Where the record is new, it begins with the boot whose settings these are. */
int card_record(const char *state, const char *card, const char *key, const char *value)
{
	char path[256], boot[BOOT_ID_SIZE];
	int err = 0;

	card_path(path, sizeof(path), state, card);
	if (access(path, F_OK)) {
		err = boot_id_read(boot, "");
		if (!err)
			err = card_append(path, "boot", boot);
	}
	if (!err)
		err = card_append(path, key, value);
	return err ? fail(err, "functions: \"%s\": %s", path, strerror(-err)) : 0;
}

/* Somebody else can have begun to use them. */
static bool functions_are_free(const char *card)
{
	char driver[SYSFS_TEXT];

	for (unsigned int i = 0; sysfs_is(PCI_DEVICES "%s/virtfn%u", card, i); i++) {
		if (sysfs_link(driver, PCI_DEVICES "%s/virtfn%u/driver", card, i))
			continue;
		warn("functions: %s: its virtual functions stay, as number %u has the driver %s", card, i, driver);
		return false;
	}
	return true;
}

static void card_line_undo(const char *card, const char *line)
{
	char value[64];
	int err = 0;

	if (sscanf(line, "numvfs %63s", value) == 1 && functions_are_free(card))
		err = sysfs_write(value, PCI_DEVICES "%s/sriov_numvfs", card);
	else if (sscanf(line, "autoprobe %63s", value) == 1)
		err = sysfs_write(value, PCI_DEVICES "%s/sriov_drivers_autoprobe", card);
	else if (sscanf(line, "down %63s", value) == 1)
		err = interface_up(value, false);
	if (err)
		warn("functions: %s: back to %s: %s", card, line, strerror(-err));
}

/* @text, of CARD_MAX + 1. Negative errno. */
static int card_read(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err;
	ssize_t len;

	*text = '\0';
	if (fd < 0)
		return -errno;
	len = read(fd, text, CARD_MAX);
	err = len < 0 ? -errno : 0;
	text[MAX(len, 0)] = '\0';
	close(fd);
	return err;
}

/* Negative errno: what was recorded can't be told. Of another boot it says nothing of this one's card. */
static int card_undo(const char *path, const char *card)
{
	char text[CARD_MAX + 1], *lines[16] = { NULL }, *at, *end;
	int count = 0, err = card_read(path, text);

	for (at = text; (end = strchr(at, '\n')) && count < (int)ARRAY_SIZE(lines); at = end + 1) {
		*end = '\0';
		lines[count++] = at;
	}
	if (!err)
		err = count && strncmp(lines[0], "boot ", 5) == 0 ? boot_id_check(lines[0] + 5) : -ESTALE;
	while (!err && --count)
		card_line_undo(card, lines[count]);
	return err == -ESTALE ? 0 : err;
}

static int card_release(void *ctx, const char *name)
{
	const char *state = ctx, *card = name + sizeof(CARD) - 1;
	char path[256];
	int err;

	if (strncmp(name, CARD, sizeof(CARD) - 1) != 0 || card_is_used(state, card))
		return 0;
	card_path(path, sizeof(path), state, card);
	err = card_undo(path, card);
	if (err)
		warn("functions: \"%s\": stays, to be tried again: %s", path, strerror(-err));
	else
		unlink(path);
	return 0;
}

void cards_release(const char *state)
{
	sysfs_each(state, card_release, (void *)state);
}

/* --- and the way there --- */

static int card_prepare(struct functions *functions, const struct function *function, long long total)
{
	char number[24];
	int err = card_record(functions->state, function->pf, "numvfs", "0");

	if (!err && sysfs_number(PCI_DEVICES "%s/sriov_drivers_autoprobe", function->pf) == 1) {
		err = card_record(functions->state, function->pf, "autoprobe", "1");
		if (!err)
			err = sysfs_write("0", PCI_DEVICES "%s/sriov_drivers_autoprobe", function->pf);
	}
	if (err)
		return fail(err, "functions: %s: sriov_drivers_autoprobe: %s", function->pf, strerror(-err));
	snprintf(number, sizeof(number), "%lld", total);
	err = sysfs_write(number, PCI_DEVICES "%s/sriov_numvfs", function->pf);
	return err ? fail(err, "functions: %s: %lld virtual functions to be made: %s%s", function->pf, total,
			  strerror(-err),
			  err == -ENOMEM ? ": wanted more MMIO space: pci=realloc on the host's command line, or the "
					   "firmware's setting"
					 : "")
		   : 0;
}

/* A card that is down has no link, and its functions' drivers wait for it in vain. */
static int card_up(struct functions *functions, const struct function *function)
{
	long long flags = sysfs_number("/sys/class/net/%s/flags", function->interface);
	int err;

	if (flags >= 0 && flags & 1) /* IFF_UP */
		return 0;
	err = card_record(functions->state, function->pf, "down", function->interface);
	if (err)
		return err;
	err = interface_up(function->interface, true);
	if (err)
		return fail(err, "functions: %s: to be set up: %s", function->interface, strerror(-err));
	note("functions: %s is up now, until the VMs that have functions of it have ended", function->interface);
	return 0;
}

int card_take(struct functions *functions, struct function *function)
{
	long long now = sysfs_number(PCI_DEVICES "%s/sriov_numvfs", function->pf);
	long long total = sysfs_number(PCI_DEVICES "%s/sriov_totalvfs", function->pf);
	int err = record_card(functions, function->pf);
	char found[SYSFS_TEXT];

	if (!err && now == 0)
		err = card_prepare(functions, function, total);
	if (!err)
		err = card_up(functions, function);
	if (err)
		return err;
	if (sysfs_link(found, PCI_DEVICES "%s/virtfn%u", function->pf, function->vf) ||
	    strcmp(found, function->address) != 0)
		return fail(-ENODEV, "functions: %s: virtual function %u: wanted %s, found %s", function->pf,
			    function->vf, function->address, *found ? found : "none");
	return 0;
}
