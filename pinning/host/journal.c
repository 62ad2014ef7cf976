// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was changed, one line a value, written before any is. The last line counts the others and has their checksum:
 * whatever was cut or altered is seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/replace.h"
#include "base/text_file.h"
#include "base/util.h"
#include "base/file.h"
#include "pinning/host/internal.h"

#define JOURNAL	    "host.journal"
#define VERSION	    "2"
#define JOURNAL_MAX MIB(16) /* 100,000 tasks */
#define FIELDS	    8	    /* of a change */

/* FNV-1a: against accidents, not against whoever may write here. */
static uint64_t checksum(const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}

/* The last line: how many changes there are, and the checksum of all before it. */
static char *end_make(size_t count, uint64_t sum)
{
	return text_make("end %zu %016" PRIx64, count, sum);
}

int journal_boot(char boot[BOOT_ID_SIZE], const char *root)
{
	int err = boot_id_read(boot, root);

	return err ? fail(err, "host: %s/proc/sys/kernel/random/boot_id: %s", root, strerror(-err)) : 0;
}

static char *journal_text(const struct journal *journal, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	fprintf(out, "nohype host journal " VERSION "\nboot %s\nstate %s\nby %u %u %" PRId64 "\ncores %s\n",
		journal->boot, journal->applied ? "applied" : "applying", journal->pid, journal->uid, journal->time,
		journal->cores);
	for (size_t i = 0; i < journal->changes.count; i++) {
		const struct change *change = &journal->changes.list[i];

		fprintf(out, "%d\t%d\t%u\t%" PRIu64 "\t%s\t%s\t%s\t%s\n", change->kind, change->subject, change->flags,
			change->start, change->path, change->old, change->new, change->detail);
	}
	fclose(out);
	return text;
}

static int journal_put(struct replacement *file, const char *text, const char *end)
{
	FILE *out = replace_begin(file);

	if (!out)
		return -errno;
	fprintf(out, "%s%s\n", text, end);
	return replace_commit(file);
}

int journal_write(const struct journal *journal, const char *state)
{
	struct replacement file = { .folder = -1 };
	char *path = text_make("%s/" JOURNAL, state), *text, *end;
	size_t len = 0;
	int err;

	text = path ? journal_text(journal, &len) : NULL;
	end = text ? end_make(journal->changes.count, checksum(text, len)) : NULL;
	err = end ? replace_open(&file, path, "host: journal") : fail(-ENOMEM, "host: no memory for the journal");
	if (!err) {
		err = journal_put(&file, text, end);
		if (err)
			fail(err, "host: journal: \"%s\": %s", path, strerror(-err));
		replace_close(&file);
	}
	free(end);
	free(text);
	free(path);
	return err;
}

int journal_remove(const char *state)
{
	char *path = text_make("%s/" JOURNAL, state);
	int err = path ? 0 : -ENOMEM, folder;

	if (path && unlink(path) && errno != ENOENT)
		err = -errno;
	folder = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		fsync(folder);
		close(folder);
	}
	if (err)
		fail(err, "host: journal: \"%s\": %s", path ? path : state, strerror(-err));
	free(path);
	return err;
}

void journal_free(struct journal *journal)
{
	free(journal->cores);
	changes_free(&journal->changes);
	*journal = (struct journal){ 0 };
}

/* The next line of *@text without its newline, which becomes a 0; NULL: there is no whole one. */
static char *line_take(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

/* What follows "@key " in a line, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return line && strncmp(line, key, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static int number_of(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || *end || end == text || *number > max ? -EBADMSG : 0;
}

static int head_parse(struct journal *journal, char **text)
{
	const char *boot = value_of(line_take(text), "boot"), *state = value_of(line_take(text), "state");
	const char *by = value_of(line_take(text), "by"), *cores = value_of(line_take(text), "cores");
	struct cpus set;

	if (!boot || strlen(boot) >= BOOT_ID_SIZE || !state || !cores || cpus_from_list(&set, cores) || !by ||
	    sscanf(by, "%u %u %" SCNd64, &journal->pid, &journal->uid, &journal->time) != 3)
		return -EBADMSG;
	snprintf(journal->boot, sizeof(journal->boot), "%s", boot);
	journal->applied = strcmp(state, "applied") == 0;
	journal->cores = strdup(cores);
	return journal->cores ? 0 : fail(-ENOMEM, "host: no memory for the journal");
}

static int change_parse(struct journal *journal, char *line)
{
	uint64_t kind, subject, flags, start;
	struct change change = { 0 };
	char *fields[FIELDS];

	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = strsep(&line, "\t");
	if (!fields[FIELDS - 1] || line || number_of(fields[0], CHANGE_KINDS - 1, &kind) ||
	    number_of(fields[1], SUBJECTS - 1, &subject) || number_of(fields[2], CHANGE_FLAGS, &flags) ||
	    number_of(fields[3], UINT64_MAX, &start))
		return -EBADMSG;
	change = (struct change){ .kind = (enum change_kind)kind,
				  .subject = (enum subject)subject,
				  .flags = (unsigned int)flags,
				  .start = start,
				  .path = strdup(fields[4]),
				  .old = strdup(fields[5]),
				  .new = strdup(fields[6]),
				  .detail = strdup(fields[7]) };
	return changes_add(&journal->changes, &change);
}

static int end_check(const char *line, size_t count, uint64_t sum)
{
	char *wanted = end_make(count, sum);
	int err = wanted && strcmp(line, wanted) == 0 ? 0 : -EBADMSG;

	free(wanted);
	return err;
}

static int body_parse(struct journal *journal, char *text, const char *whole, const char *original)
{
	int err = head_parse(journal, &text);
	char *line;

	while (!err && (line = line_take(&text))) {
		if (strncmp(line, "end ", 4) == 0)
			return *text ? -EBADMSG
				     : end_check(line, journal->changes.count,
						 checksum(original, (size_t)(line - whole)));
		err = change_parse(journal, line);
	}
	return err ? err : -EBADMSG;
}

static void journal_complain(int err, const char *name, const char *version)
{
	char quoted[32];

	if (err == -EPROTO)
		fail(err,
		     "host: journal: \"%s\": of version %s, wanted " VERSION ": undo it with the nohype that made it",
		     name, escape_text(quoted, sizeof(quoted), version, strlen(version)));
	else if (err == -EBADMSG)
		fail(err,
		     "host: journal: \"%s\": cut or altered: nohype host undo --force restores what it still tells",
		     name);
}

int journal_parse(struct journal *journal, const char *text, size_t len, const char *boot, const char *name)
{
	char *copy = strndup(text, len), *rest = copy;
	const char *version;
	int err;

	*journal = (struct journal){ 0 };
	if (!copy)
		return fail(-ENOMEM, "host: no memory for the journal");
	err = strlen(copy) == len ? 0 : -EBADMSG;
	version = value_of(line_take(&rest), "nohype host journal");
	if (!version)
		err = -EBADMSG;
	else if (!err && strcmp(version, VERSION) != 0)
		err = -EPROTO;
	if (!err)
		err = body_parse(journal, rest, copy, text);
	journal_complain(err, name, version);
	if (!err && strcmp(journal->boot, boot) != 0)
		err = -ESTALE;
	free(copy);
	return err;
}

int journal_read(struct journal *journal, const char *state, const char *root)
{
	char *path = text_make("%s/" JOURNAL, state), *text = NULL, boot[BOOT_ID_SIZE];
	ssize_t len;
	int err;

	*journal = (struct journal){ 0 };
	err = path ? journal_boot(boot, root) : fail(-ENOMEM, "host: no memory for a path");
	if (!err && !file_is(path))
		err = -errno;
	if (!err) {
		len = text_file_read(path, JOURNAL_MAX, "a journal", "a journal", &text);
		err = len < 0 ? (int)len : journal_parse(journal, text, (size_t)len, boot, path);
	}
	free(text);
	free(path);
	return err;
}
