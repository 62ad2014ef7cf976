// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jail, step by step: one system call a step, and why. nohype(1) lists the steps in the same order.
 *
 * There is no PID namespace on purpose: its first process ignores signals at their default, SIGTRAP among them, and
 * SIGTRAP is how the kernel will end the core manager at a forbidden exit.
 */
#include "vmm/jail/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#define LAST_FD (~0U)

int jail_begin(int socket)
{
	static const struct rlimit none = { 0, 0 };
	sigset_t empty;

	/* No core file of guest memory, also none for a program behind a core_pattern: that asks for dumpable. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
		return -errno;
	/* No exec ever gives rights back; the filters need it. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* Both survive exec, and either one makes a tripwire useless: nothing ignored, nothing blocked. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&empty);
	if (sigprocmask(SIG_SETMASK, &empty, NULL))
		return -errno;
	/* What the one who started the supervisor left open is no business of ours. */
	if (close_range(0, (unsigned int)socket - 1, 0) || close_range((unsigned int)socket + 1, LAST_FD, 0))
		return -errno;
	return 0;
}

static void lacks(char *lacking, size_t size, const char *what)
{
	size_t len = strlen(lacking);

	snprintf(lacking + len, size - len, "%s%s (%s)", len ? ", " : "", what, strerror(errno));
}

/*
 * Who may not make them by right may within a user namespace, where the host allows that; *@user says that it took one.
 * In it there is no other uid to become: to the host this process stays who it was, without any right.
 */
static int jail_namespaces(int *user)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	*user = 0;
	if (!unshare(flags))
		return 0;
	if (unshare(flags | CLONE_NEWUSER))
		return -1;
	*user = 1;
	return 0;
}

/* An empty, read-only file system in place of the host's: there is nothing to open. */
static int jail_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=1,mode=111") ||
	    chdir("/proc"))
		return -1;
	/* pivot_root(2): with both arguments ".", the old root lies on top of the new one and is taken off. */
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		return -1;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* A uid that is this VM's alone: no other process of the host may be signalled or looked at by it, nor it by them. */
static int jail_identity(uint32_t uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid) ? -1 : 0;
}

static int jail_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_capset, &head, none);
}

/* Landlock, an empty rule set: no path can be opened even if a file system were there. Bits known since ABI 1. */
static int jail_landlock(void)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
	int err;

	if (fd < 0)
		return -1;
	err = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return err;
}

/*
 * Die with the supervisor. Comes after the change of identity, which would undo it; a supervisor that died before is
 * told by the parent, which is another by then. Each process watches its socket as well.
 */
static int jail_leash(uint32_t supervisor_pid)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -1;
	if ((uint32_t)getppid() != supervisor_pid) {
		errno = ESRCH;
		return -1;
	}
	return 0;
}

int jail_close(const char *whose, uint32_t uid, uint32_t supervisor_pid, char *lacking, size_t size)
{
	int user_namespace;

	if (jail_namespaces(&user_namespace))
		lacks(lacking, size, "namespaces");
	else if (jail_root())
		lacks(lacking, size, "an empty root");
	if (uid && !user_namespace && jail_identity(uid))
		return fail(-errno, "%s jail: become uid %u: %s", whose, uid, strerror(errno));
	if (jail_capabilities())
		return fail(-errno, "%s jail: drop capabilities: %s", whose, strerror(errno));
	if (jail_landlock())
		lacks(lacking, size, "Landlock");
	if (jail_leash(supervisor_pid))
		return fail(-errno, "%s jail: die with the supervisor: %s", whose, strerror(errno));
	return 0;
}
