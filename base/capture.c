// SPDX-License-Identifier: GPL-2.0-only
#include "base/capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"

int capture_begin(struct capture *cap)
{
	int err;

	fflush(stderr);
	cap->file = memfd_create("messages", MFD_CLOEXEC);
	if (cap->file < 0)
		return fail(-errno, "memory file for messages: %s", strerror(errno));
	cap->saved = dup(STDERR_FILENO);
	if (cap->saved < 0 || dup2(cap->file, STDERR_FILENO) < 0) {
		err = fail(-errno, "standard error: redirect: %s", strerror(errno));
		goto close_file;
	}
	return 0;

close_file:
	close(cap->file);
	if (cap->saved >= 0)
		close(cap->saved);
	return err;
}

static char *read_all(int fd)
{
	struct stat st;
	char *text;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	got = pread(fd, text, (size_t)st.st_size, 0);
	text[MAX(got, 0)] = '\0';
	return text;
}

char *capture_end(struct capture *cap)
{
	char *text;

	fflush(stderr);
	dup2(cap->saved, STDERR_FILENO);
	close(cap->saved);
	text = read_all(cap->file);
	close(cap->file);
	if (!text)
		fail(-ENOMEM, "messages: no memory to read them back");
	return text;
}
