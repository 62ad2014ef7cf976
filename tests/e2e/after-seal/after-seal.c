// SPDX-License-Identifier: GPL-2.0-only
/*
 * One action in a sealed guest. Runs as /do/after-seal in the small guest; the kernel's command line says which:
 *
 *   nohype.action=NAME  one of the table at the end of actions.c
 *   nohype.uid=N        who does it (0). Ports and ends are always root's
 *   nohype.marks        an OUT to port 0x5a0 before and after it, where exits are counted and end nothing
 *   memmap=4K$PAGE      a page of memory that Linux leaves alone, for what is read at the end: the words below
 */
#include "tests/e2e/after-seal/after-seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/ports.h"

#define MARK_PORT 0x5a0 /* nothing else writes there: 0x80 is the kernel's own, to wait */

/* What is read from the guest's memory at its end. */
enum {
	WORD_BEFORE, /* 1: sealed, and the action is next */
	WORD_AFTER,  /* 1: it was done */
	WORD_RESULT, /* 0, or the errno with which it failed */
};

static volatile uint64_t *words; /* volatile: the host reads it */

static char cmdline[4096];

/* What stands behind @key on the command line, or @otherwise; cut at the next blank. */
static const char *param(const char *key, const char *otherwise)
{
	char copy[sizeof(cmdline)];
	const char *found = otherwise;

	memcpy(copy, cmdline, sizeof(copy));
	for (char *rest, *word = strtok_r(copy, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
		if (!strncmp(word, key, strlen(key)))
			found = strdup(word + strlen(key));
	return found;
}

static void die(const char *what)
{
	fprintf(stderr, "after-seal: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void words_map(void)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *page;

	if (fd < 0)
		die("/dev/mem");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, EVIDENCE_PAGE);
	if (page == MAP_FAILED)
		die("/dev/mem: the page of the evidence");
	words = page;
	close(fd);
}

static void cmdline_read(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, cmdline, sizeof(cmdline) - 1) <= 0)
		die("/proc/cmdline");
	close(fd);
}

/* By the helper, as people do it. What we hold of the console is given up for good. */
static void seal(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	pid_t pid;

	for (int stream = 0; stream < 3; stream++)
		dup2(fd, stream);
	pid = fork();
	if (pid == 0) {
		execl("/bin/nohype-guest", "nohype-guest", "seal", "--force", param("nohype.action=", "?"), NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		outb(1, PORT_PANIC);
}

static int act(const struct action *action, uid_t uid)
{
	int status = 0;
	pid_t pid;

	if (!uid)
		return action->act();
	pid = fork();
	if (pid == 0) {
		if (setgid(uid) || setuid(uid))
			_exit(EPERM);
		_exit(action->act());
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? ECANCELED : WEXITSTATUS(status);
}

int main(void)
{
	const struct action *action;
	bool marks;
	uid_t uid;

	cmdline_read();
	words_map();
	action = action_find(param("nohype.action=", "?"));
	marks = strstr(cmdline, "nohype.marks");
	uid = (uid_t)atoi(param("nohype.uid=", "0"));
	if (!action || ioperm(PORT_POWER_OFF, 1, 1) || ioperm(PORT_PANIC, 1, 1) || ioperm(MARK_PORT, 1, 1))
		die("no such action, or no ports");
	errno = action->prepare ? action->prepare() : 0;
	if (errno)
		die("prepare");
	if (!action->seals_itself)
		seal();
	words[WORD_BEFORE] = 1;
	if (marks)
		outb(1, MARK_PORT);
	words[WORD_RESULT] = (uint64_t)act(action, uid);
	if (marks)
		outb(2, MARK_PORT);
	words[WORD_AFTER] = 1;
	outb(SLEEP_TYPE << 2 | 0x20, PORT_POWER_OFF);
	for (;;)
		pause();
}
