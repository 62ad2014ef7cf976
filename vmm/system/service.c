// SPDX-License-Identifier: GPL-2.0-only
/*
 * What systemd gives and wants, where it is there: sockets and what its fd store has kept, readiness, signs of life.
 * Which is which is said by both, a name and what the fd is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "vmm/system/system.h"

#define BARRIER_MS 1000			      /* until systemd has done what it was told */
#define SILENT_NS  (INT64_C(30) * 1000000000) /* for which one that hasn't is not waited for */

void service_begin(struct service *service)
{
	char **names = NULL;
	/* not for those that we start */
	int count = sd_listen_fds_with_names(1, &names);

	*service = (struct service){ 0 };
	if (count > 0)
		service->given = calloc((size_t)count, sizeof(*service->given));
	for (int i = 0; i < count && service->given; i++)
		service->given[service->count++] = (struct given){ names[i], SD_LISTEN_FDS_START + i };
	free(names);
}

int service_take(struct service *service, const char *name, bool (*is_wanted)(int fd))
{
	for (unsigned int i = 0; i < service->count; i++) {
		int fd = service->given[i].fd;

		if (fd < 0 || strcmp(service->given[i].name, name) != 0 || !is_wanted(fd))
			continue;
		service->given[i].fd = -1;
		return fd;
	}
	return -1;
}

static bool is_listener(int fd)
{
	return sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0;
}

int service_socket(struct service *service, const char *name)
{
	int fd = service_take(service, name, is_listener);

	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void given_refuse(struct given *given)
{
	char name[256];

	warn("systemd gave a file descriptor %s, which is no socket and no memory that was asked for: closed",
	     quote_text(name, sizeof(name), given->name, strlen(given->name)));
	service_forget(given->name);
	fd_close(&given->fd);
}

void service_end(struct service *service)
{
	for (unsigned int i = 0; i < service->count; i++) {
		if (service->given[i].fd >= 0)
			given_refuse(&service->given[i]);
		free(service->given[i].name);
	}
	free(service->given);
	*service = (struct service){ 0 };
}

int service_keep(const char *name, int fd)
{
	char *state = path_make("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	int err = state ? sd_pid_notify_with_fds(0, 0, state, &fd, 1) : -ENOMEM;

	free(state);
	return err;
}

/* One with a newline would say more than a name to systemd; it takes none of these itself. */
static bool name_is_plain(const char *name)
{
	while (*name >= ' ' && *name <= '~' && *name != ':')
		name++;
	return *name == '\0';
}

void service_forget(const char *name)
{
	if (name_is_plain(name))
		sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void service_barrier(void)
{
	static int64_t silent_until;

	if (clock_now() < silent_until)
		return;
	if (sd_notify_barrier(0, BARRIER_MS * UINT64_C(1000)) == -ETIMEDOUT)
		silent_until = clock_now() + SILENT_NS;
}

void service_ready(void)
{
	sd_notify(0, "READY=1");
}

void service_starting(unsigned int seconds)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u000000", seconds);
}

void service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void service_ending(void)
{
	sd_notify(0, "STOPPING=1");
}
