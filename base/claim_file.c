// SPDX-License-Identifier: GPL-2.0-only
/* One VM's claims as a file: a line for the format, VM and process, then one a claim, its words parted by tabs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/claim_internal.h"
#include "base/util.h"

#define FORMAT	 "nohype-claims 1"
#define FILE_MAX KIB(256) /* 255 cores with eight threads each are half of that */

static const char *const modes[] = { [CLAIM_ALONE] = "alone", [CLAIM_SHARED] = "shared", [CLAIM_PART] = "part" };

/*
 * A lock for writing needs a file that is open for writing, so nobody but its owner can make a dead one look held:
 * locks for reading, which readers could place, don't show in answer to this question.
 */
bool claim_file_is_held(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type == F_WRLCK;
}

int claim_file_write(int fd, const struct claims *claims)
{
	int copy = dup(fd), err = 0;
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");

	if (!out) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		return err;
	}
	fprintf(out, FORMAT "\t%s\t%d\n", claims->vm, (int)getpid());
	for (size_t i = 0; i < claims->count; i++)
		fprintf(out, "%s\t%s\t%" PRIu64 "\t%s\n", modes[claims->list[i].mode], claims->list[i].what,
			claims->list[i].amount, claims->list[i].note);
	errno = 0;
	if (fflush(out) || ferror(out))
		err = errno ? -errno : -EIO;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

/* The next word of *@line, up to a tab or the end. False: there is none of 1 (@empty: 0) to @size - 1 printable bytes.
 */
static bool word_take(char **line, char *word, size_t size, bool empty)
{
	char *text = strsep(line, "\t");
	size_t len = text ? strlen(text) : 0;

	if (!text || (!len && !empty) || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	memcpy(word, text, len + 1);
	return true;
}

static bool number_take(char **line, uint64_t max, uint64_t *number)
{
	char word[21], *end;

	if (!word_take(line, word, sizeof(word), false) || strspn(word, "0123456789") != strlen(word))
		return false;
	errno = 0;
	*number = strtoull(word, &end, 10);
	return !errno && !*end && *number <= max;
}

static bool header_parse(char *line, struct claim_holder *holder)
{
	char format[sizeof(FORMAT)];
	uint64_t pid;

	if (!word_take(&line, format, sizeof(format), false) || strcmp(format, FORMAT) != 0 ||
	    !word_take(&line, holder->vm, sizeof(holder->vm), false) || !number_take(&line, INT32_MAX, &pid) || line)
		return false;
	holder->pid = (pid_t)pid;
	return true;
}

static bool claim_parse(char *line, struct claim *claim)
{
	char mode[8];

	*claim = (struct claim){ 0 };
	if (!word_take(&line, mode, sizeof(mode), false) ||
	    !word_take(&line, claim->what, sizeof(claim->what), false) ||
	    !number_take(&line, UINT64_MAX, &claim->amount) ||
	    !word_take(&line, claim->note, sizeof(claim->note), true) || line)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		claim->mode = (enum claim_mode)i;
		if (strcmp(modes[i], mode) == 0)
			return true;
	}
	return false;
}

/* @text is cut into its words. */
static int text_parse(char *text, struct claim_holder *holder)
{
	size_t lines = 0;
	char *line;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	holder->list = calloc(lines + 1, sizeof(*holder->list));
	if (!holder->list)
		return -ENOMEM;
	if (!lines || text[strlen(text) - 1] != '\n' || !header_parse(strsep(&text, "\n"), holder))
		return -EBADMSG;
	while ((line = strsep(&text, "\n")) && *line)
		if (!claim_parse(line, &holder->list[holder->count++]))
			return -EBADMSG;
	return text ? -EBADMSG : 0;
}

int claim_file_read(int fd, struct claim_holder *holder)
{
	struct stat st;
	char *text;
	ssize_t len;
	int err;

	*holder = (struct claim_holder){ 0 };
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX)
		return -EBADMSG;
	text = calloc(1, FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	len = pread(fd, text, FILE_MAX, 0);
	err = len < 0 ? -errno : text_parse(text, holder);
	holder->uid = st.st_uid;
	free(text);
	if (err) {
		free(holder->list);
		*holder = (struct claim_holder){ 0 };
	}
	return err;
}
