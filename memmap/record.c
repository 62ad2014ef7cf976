// SPDX-License-Identifier: GPL-2.0-only
#include "memmap/record.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/forked.h"
#include "base/log.h"
#include "memmap/internal.h"

#define RECORD_MAX KIB(16)

/*
 * Who recovers may have come between open() and here: it has, or had, the lock, takes an empty record for a dead one's,
 * and removes it, and the name can be another's by then. -EAGAIN: so what goes on would be recorded nowhere.
 */
static int new_lock(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

int record_make(const char *path, const char *key, const char *head, const char *format, ...)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600), err;
	char boot[BOOT_ID_SIZE], lines[LINE_BYTES];
	va_list ap;

	if (fd < 0)
		return fail(-errno, "%s: \"%s\": %s", key, path, strerror(errno));
	va_start(ap, format);
	vsnprintf(lines, sizeof(lines), format, ap);
	va_end(ap);
	err = new_lock(fd);
	if (err == -EAGAIN) {
		close(fd);
		return fail(err, "%s: \"%s\": taken for a dead VM's by who recovers: start it again", key, path);
	}
	err = err ? err : boot_id_read(boot, "");
	if (!err)
		err = line_append(fd, "%s\nboot %s\n%s", head, boot, lines);
	if (!err)
		return fd;
	fail(err, "%s: \"%s\": %s", key, path, strerror(-err));
	unlink(path);
	close(fd);
	return err;
}

int record_intend(int fd, int node, uint64_t before, uint64_t wanted)
{
	return line_append(fd, "node %d has %" PRIu64 " wanted %" PRIu64 "\n", node, before, wanted);
}

int record_done(int fd, int node, uint64_t added)
{
	return line_append(fd, "node %d got %" PRIu64 "\n", node, added);
}

/* What the last line of a record began; .wanted 0: nothing. */
struct intent {
	int node;
	uint64_t before, wanted;
};

static void took_out(int node, uint64_t page_size, uint64_t count, uint64_t *pages)
{
	pool_take_out(node, page_size, count);
	*pages += count;
}

/* Killed between its two lines: what the pool has more than it had, at most what was wanted. */
static void intent_undo(const struct intent *intent, uint64_t page_size, uint64_t *pages)
{
	int64_t now = intent->wanted ? pool_read(intent->node, page_size) : 0;

	if (now > 0 && (uint64_t)now > intent->before)
		took_out(intent->node, page_size, MIN((uint64_t)now - intent->before, intent->wanted), pages);
}

static bool node_is_sane(int node)
{
	return node >= -1 && node < MEMORY_NODE_NUMBER;
}

/* -EBADMSG: not one of ours. -ESTALE: of another boot. Others: that can't be told, and nothing was done. */
static int record_undo(char *text, uint64_t *pages)
{
	struct intent intent = { 0 };
	uint64_t page_size, before, wanted;
	int node, used = 0, err;
	char is[64], *end;

	if (sscanf(text, RECORD_HEAD "\nboot %63s\npage %" SCNu64 "\n%n", is, &page_size, &used) != 2 || !used)
		return -EBADMSG;
	err = boot_id_check(is);
	if (err)
		return err;
	for (text += used; (end = strchr(text, '\n')); text = end + 1) {
		*end = '\0';
		if (sscanf(text, "node %d has %" SCNu64 " wanted %" SCNu64, &node, &before, &wanted) == 3 &&
		    node_is_sane(node)) {
			intent = (struct intent){ node, before, wanted };
		} else if (sscanf(text, "node %d got %" SCNu64, &node, &wanted) == 2 && node == intent.node) {
			took_out(node, page_size, MIN(wanted, intent.wanted), pages);
			intent.wanted = 0;
		} else {
			return -EBADMSG;
		}
	}
	intent_undo(&intent, page_size, pages);
	return 0;
}

/* Nobody's if its lock can be had. */
static int record_recover(int folder, const char *name, uint64_t *pages)
{
	int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err;
	char text[RECORD_MAX + 1];
	ssize_t len;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail(-errno, "memory.reserve: \"%s\": %s", name, strerror(errno));
	if (forked_lock(fd, atoi(name + strlen(RECORD)))) {
		close(fd);
		return 0;
	}
	len = read(fd, text, RECORD_MAX);
	text[MAX(len, 0)] = '\0';
	err = len < 0 ? -errno : record_undo(text, pages);
	if (err == -ESTALE || len == 0)
		err = 0;
	if (err == -EBADMSG)
		fail(err, "memory.reserve: \"%s\": cut or altered: what of it can't be read stays in the pools", name);
	else if (err)
		fail(err, "memory.reserve: \"%s\": stays, to be tried again: %s", name, strerror(-err));
	if (!err || err == -EBADMSG)
		unlinkat(folder, name, 0);
	close(fd);
	return err;
}

/* "pages." and numbers. */
static int name_is_record(const struct dirent *entry)
{
	const char *number = entry->d_name + sizeof(RECORD) - 1;

	return strncmp(entry->d_name, RECORD, sizeof(RECORD) - 1) == 0 && isdigit((unsigned char)*number) &&
	       number[strspn(number, "0123456789.")] == '\0';
}

bool records_any(const char *state)
{
	struct dirent **entries;
	int count = scandir(state, &entries, name_is_record, alphasort);

	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
	return count > 0;
}

int records_recover(const char *state, uint64_t *pages)
{
	const struct dirent *entry;
	DIR *folder = opendir(state);
	int result = 0, err;

	*pages = 0;
	if (!folder)
		return errno == ENOENT ? 0 : fail(-errno, "memory.reserve: \"%s\": %s", state, strerror(errno));
	while ((entry = readdir(folder))) {
		if (!name_is_record(entry))
			continue;
		err = record_recover(dirfd(folder), entry->d_name, pages);
		result = err ? err : result;
	}
	closedir(folder);
	return result;
}
