// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/report/report.h"

json_t *told_parse(const char *text, size_t len, const char *name)
{
	char why[128];
	json_error_t error;
	json_t *report = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!report) {
		fail(-EINVAL, "%s:%d: %s", name, error.line,
		     escape_text(why, sizeof(why), error.text, strlen(error.text)));
		return NULL;
	}
	if (!told_check(report, name))
		return report;
	json_decref(report);
	return NULL;
}

/* At most REPORT_SIZE_MAX + 1 bytes, so that what is too big is seen. */
static ssize_t file_read(int fd, char *text)
{
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len <= REPORT_SIZE_MAX) {
		got = read(fd, text + len, REPORT_SIZE_MAX + 1 - len);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return -errno;
		else
			len += (size_t)got;
	}
	return (ssize_t)len;
}

/* Nothing that could block or never end is read. */
static int file_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fail(-errno, "%s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return fail(-EINVAL, "%s: not a regular file: wanted a report", path);
}

json_t *told_read(const char *path)
{
	char *text = malloc(REPORT_SIZE_MAX + 1);
	json_t *report = NULL;
	ssize_t len;
	int fd;

	if (!text) {
		fail(-ENOMEM, "%s: no memory for it", path);
		return NULL;
	}
	fd = file_open(path);
	if (fd >= 0) {
		len = file_read(fd, text);
		if (len < 0)
			fail((int)len, "%s: read: %s", path, strerror((int)-len));
		else if (len > REPORT_SIZE_MAX)
			fail(-EFBIG, "%s: more than %d MiB: too big for a report", path, REPORT_SIZE_MAX >> 20);
		else
			report = told_parse(text, (size_t)len, path);
		close(fd);
	}
	free(text);
	return report;
}
