// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is at the other end of a connection, and may they be there? The kernel asks the socket's mode at connect(2); this
 * asks again whom it says to have connected, as a mode is changed easily, and a socket may come from elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/system/system.h"

#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

uid_t peer_uid(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? (uid_t)-1 : peer.uid;
}

/* Is @group the peer's first one or one of the others (SO_PEERGROUPS, unix(7))? */
static bool peer_in_group(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	bool found = false;
	gid_t *groups;

	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && peer.gid == group)
		return true;
	len = GROUPS_MAX * sizeof(*groups);
	groups = malloc(len);
	if (groups && !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		for (size_t i = 0; i < len / sizeof(*groups); i++)
			found = found || groups[i] == group;
	free(groups);
	return found;
}

bool peer_may(int fd, bool read_only)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof(address) - 1;
	uid_t uid = peer_uid(fd);
	struct stat st;

	if (uid == 0 || uid == geteuid())
		return true;
	if (uid == (uid_t)-1 || getsockname(fd, (struct sockaddr *)&address, &len) || stat(address.sun_path, &st))
		return false;
	if (uid == st.st_uid || (st.st_mode & S_IWGRP && peer_in_group(fd, st.st_gid)))
		return true;
	return read_only && st.st_mode & S_IWOTH;
}
