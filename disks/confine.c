// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reads an image that isn't raw is a process that can do little else: the image may have been made to win it.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "disks/internal.h"

#define NOBODY 65534

/* Nobody's, without rights; dies with us; no core file. */
static int confine_any(void)
{
	static const struct rlimit none = { 0, 0 };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };
	sigset_t empty;

	sigemptyset(&empty);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    setrlimit(RLIMIT_CORE, &none) || sigprocmask(SIG_SETMASK, &empty, NULL))
		return -errno;
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

int confine_unpacker(int in, int out)
{
	int err;

	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO, ~0U, 0))
		return -errno;
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		return -errno;
	err = confine_any();
	return err ? err : calls_unpacker();
}

static int path_allow(int rules, int under, uint64_t access)
{
	struct landlock_path_beneath_attr attr = { .allowed_access = access, .parent_fd = under };
	int err = under < 0 ? -1 : (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);

	return err;
}

/* A program and its libraries can be read, the image too, and the target be written; no other file. */
static int files_confine(int image, int target)
{
	static const char *const programs[] = { "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/proc" };
	const uint64_t file = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
	struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
	int err;

	if (rules < 0)
		return 0; /* a kernel without Landlock */
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		int fd = open(programs[i], O_PATH | O_CLOEXEC);

		path_allow(rules, fd, file);
		if (fd >= 0)
			close(fd);
	}
	err = path_allow(rules, image, LANDLOCK_ACCESS_FS_READ_FILE);
	if (!err)
		err = path_allow(rules, target, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (!err)
		err = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	err = err ? -errno : 0;
	close(rules);
	return err;
}

int confine_qemu(int image, int target)
{
	int err;

	/* no network, no one else's shared memory; a plain user, who may not, has no rights to lose either */
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC) && errno != EPERM)
		return -errno;
	err = confine_any();
	if (!err)
		err = files_confine(image, target);
	return err ? err : calls_qemu();
}
