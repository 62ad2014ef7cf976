// SPDX-License-Identifier: GPL-2.0-only
/* What systemd gives and wants, where it is there: sockets, readiness, signs of life. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "vmm/system/system.h"

void service_begin(struct service *service)
{
	char **names = NULL;
	/* not for those that we start */
	int count = sd_listen_fds_with_names(1, &names);

	*service = (struct service){ 0 };
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (service->count < SERVICE_SOCKETS && sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0) {
			fcntl(fd, F_SETFL, O_NONBLOCK);
			service->sockets[service->count].fd = fd;
			snprintf(service->sockets[service->count++].name, sizeof(service->sockets[0].name), "%s",
				 names[i]);
		}
		free(names[i]);
	}
	free(names);
}

int service_socket(const struct service *service, const char *name)
{
	for (unsigned int i = 0; i < service->count; i++)
		if (strcmp(service->sockets[i].name, name) == 0)
			return service->sockets[i].fd;
	return -1;
}

void service_ready(void)
{
	sd_notify(0, "READY=1");
}

void service_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void service_ending(void)
{
	sd_notify(0, "STOPPING=1");
}
