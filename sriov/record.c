// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one VM has changed on the host for its functions: a line before each change, in a file that is locked as long as
 * its supervisor lives. What isn't a whole line was not written to its end, so what it would tell was not begun.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/forked.h"
#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

#define RECORD	   "functions." /* and the process's number */
#define HEAD	   "nohype functions 1\n"
#define RECORD_MAX KIB(16)
#define LINES_MAX  128

int records_lock(const char *state)
{
	char path[128];
	int fd;

	if (mkdir(state, 0755) && errno != EEXIST)
		return fail(-errno, "functions: \"%s\": %s", state, strerror(errno));
	snprintf(path, sizeof(path), "%s/functions.lock", state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "functions: \"%s\": %s", path, strerror(errno));
	while (flock(fd, LOCK_EX))
		if (errno != EINTR) {
			int err = fail(-errno, "functions: \"%s\": %s", path, strerror(errno));

			close(fd);
			return err;
		}
	return fd;
}

static int line_write(struct functions *functions, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int line_write(struct functions *functions, const char *format, ...)
{
	va_list ap;
	int err;

	va_start(ap, format);
	err = line_vappend(functions->record_fd, format, ap);
	va_end(ap);
	return err ? fail(err, "functions: \"%s\": %s", functions->record_path, strerror(-err)) : 0;
}

int record_open(struct functions *functions)
{
	char boot[BOOT_ID_SIZE];
	int err;

	snprintf(functions->record_path, sizeof(functions->record_path), "%s/" RECORD "%d", functions->state,
		 (int)getpid());
	functions->record_fd =
		open(functions->record_path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (functions->record_fd < 0)
		return fail(-errno, "functions: \"%s\": %s", functions->record_path, strerror(errno));
	err = flock(functions->record_fd, LOCK_EX | LOCK_NB) ? -errno : 0;
	if (!err)
		err = boot_id_read(boot, "");
	return err ? fail(err, "functions: \"%s\": %s", functions->record_path, strerror(-err))
		   : line_write(functions, HEAD "boot %s\n", boot);
}

int record_file(struct functions *functions, const char *path, const char *old, const char *new)
{
	return line_write(functions, "file %s\t%s\t%s\n", path, old, new);
}

int record_driver(struct functions *functions, const char *address, const char *old)
{
	return line_write(functions, "driver %s %s\n", address, *old ? old : "-");
}

int record_card(struct functions *functions, const char *card)
{
	return line_write(functions, "card %s\n", card);
}

int record_settings(struct functions *functions, const struct function *function, const struct vf_settings *old)
{
	char mac[18];

	mac_print(mac, old->mac);
	return line_write(functions, "vf %s %u %s %u %u %u %u %u %u %u %u\n", function->interface, function->vf, mac,
			  old->vlan, old->qos, old->protocol, old->rate, old->min_rate, old->spoof_check, old->trust,
			  old->link);
}

/* A record of this boot: its lines, the last first. Negative errno: whose it is can't be told. */
static int text_undo(char *text)
{
	char *lines[LINES_MAX], is[64] = "", *end;
	int count = 0, used = 0, err;

	if (sscanf(text, HEAD "boot %63s%n", is, &used) != 1 || text[used] != '\n')
		return 0;
	err = boot_id_check(is);
	if (err)
		return err == -ESTALE ? 0 : err;
	for (text += used + 1; (end = strchr(text, '\n')) && count < LINES_MAX; text = end + 1) {
		*end = '\0';
		lines[count++] = text;
	}
	while (count--)
		line_undo(lines[count]);
	return 0;
}

/* It goes when it is undone. Negative errno, reported: it stays. */
static int record_undo(int fd, const char *path)
{
	char text[RECORD_MAX + 1];
	ssize_t len = pread(fd, text, RECORD_MAX, 0);
	int err = len < 0 ? -errno : 0;

	text[MAX(len, 0)] = '\0';
	if (!err)
		err = text_undo(text);
	if (err)
		return fail(err, "functions: \"%s\": stays, to be tried again: %s", path, strerror(-err));
	unlink(path);
	return 0;
}

void record_close(struct functions *functions)
{
	if (functions->record_fd < 0)
		return;
	record_undo(functions->record_fd, functions->record_path);
	fd_close(&functions->record_fd);
	cards_release(functions->state);
}

/* "functions." and a number. */
static bool name_is_record(const char *name)
{
	const char *number = name + sizeof(RECORD) - 1;

	return strncmp(name, RECORD, sizeof(RECORD) - 1) == 0 && *number && !number[strspn(number, "0123456789")];
}

struct recovery {
	const char *state;
	unsigned int vms;
	int err;
};

/* Nobody's if its lock can be had. */
static int record_recover(void *ctx, const char *name)
{
	struct recovery *recovery = ctx;
	char path[512];
	int fd, err;

	if (!name_is_record(name))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", recovery->state, name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (!forked_lock(fd, atoi(name + strlen(RECORD)))) {
		err = record_undo(fd, path);
		recovery->vms += !err;
		recovery->err = err ? err : recovery->err;
	}
	close(fd);
	return 0;
}

/* The lock is held. */
static int records_recover(const char *state, unsigned int *vms)
{
	struct recovery recovery = { .state = state };

	sysfs_each(state, record_recover, &recovery);
	cards_release(state);
	*vms = recovery.vms;
	return recovery.err;
}

static int record_any(void *ctx, const char *name)
{
	(void)ctx;
	return name_is_record(name) || strncmp(name, "card.", 5) == 0 || strncmp(name, "namespace.", 10) == 0;
}

int functions_recover(const char *state, unsigned int *vms)
{
	int lock, err;

	*vms = 0;
	if (sysfs_each(state, record_any, NULL) <= 0)
		return 0; /* nothing has to be locked to see it */
	lock = records_lock(state);
	if (lock < 0)
		return lock;
	err = records_recover(state, vms);
	close(lock);
	namespaces_recover(state); /* when their controllers are the host's again; it may take long */
	return err;
}

struct card_use {
	const char *state, *card;
};

static int card_used_by(void *ctx, const char *name)
{
	const struct card_use *use = ctx;
	char path[512], wanted[64], text[RECORD_MAX + 1] = "";
	ssize_t len;
	int fd;

	if (!name_is_record(name))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", use->state, name);
	snprintf(wanted, sizeof(wanted), "\ncard %s\n", use->card);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	len = fd < 0 ? 0 : read(fd, text, RECORD_MAX);
	if (fd >= 0)
		close(fd);
	text[MAX(len, 0)] = '\0';
	return strstr(text, wanted) != NULL;
}

bool card_is_used(const char *state, const char *card)
{
	struct card_use use = { state, card };

	return sysfs_each(state, card_used_by, &use) > 0;
}
