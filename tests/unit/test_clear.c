// SPDX-License-Identifier: GPL-2.0-only
/* nohyped clears the memory of a VM whose supervisor was killed: what it ends on the way, and what it leaves alone. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/supervisor/supervisor.h"
#include "vmm/system/system.h"

/* A process of user @uid that waits, and is called @name. */
static pid_t process_start(const char *name, uid_t uid)
{
	char folder[] = "/tmp/test-clear-XXXXXX", path[64];
	int ends[2];
	pid_t pid;
	char byte;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(symlink("/bin/sh", path), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setuid(uid))
			_exit(1);
		execv(path, (char *const[]){ path, "-c", "read line", NULL });
		_exit(1);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* it has executed its program */
	close(ends[0]);
	unlink(path);
	rmdir(folder);
	return pid;
}

#define SUPERVISOR 77777

/* The VM's memory is cleared while such a process has its core manager's number; then: the signal that ended it, or 0.
 */
static int clear_beside(const char *name, uid_t uid)
{
	int keep[2], status;
	struct managed vm = { .name = "web", .state = "sealed", .pid_fd = -1, .life_fd = -1 };
	char word[7] = "";
	pid_t core;

	ck_assert_int_eq(pipe2(keep, O_CLOEXEC), 0);
	ck_assert_int_ge(dup2(keep[0], STDIN_FILENO), 0);
	core = process_start(name, uid);
	vm.core = core;
	vm.pid = SUPERVISOR;
	vm.memory_fd = memfd_create("memory", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(vm.memory_fd, (off_t)MIB(2)), 0);
	ck_assert_int_eq(pwrite(vm.memory_fd, "secret", 6, 4096), 6);
	vm.rings_fd = memfd_create("rings", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(vm.rings_fd, (off_t)MIB(2)), 0);
	ck_assert_int_eq(pwrite(vm.rings_fd, "secret", 6, 4096), 6);
	ck_assert(memory_clear_begin(&vm));
	ck_assert_int_eq(waitpid(vm.pid, &status, 0), vm.pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(pread(vm.memory_fd, word, 6, 4096), 6);
	ck_assert_mem_eq(word, "\0\0\0\0\0\0", 6);
	ck_assert_int_eq(pread(vm.rings_fd, word, 6, 4096), 6);
	ck_assert_mem_eq(word, "\0\0\0\0\0\0", 6);
	close(keep[1]);
	close(keep[0]);
	close(STDIN_FILENO);
	ck_assert_int_eq(waitpid(core, &status, 0), core);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

START_TEST(core_manager_is_ended)
{
	ck_assert_int_eq(clear_beside("nohype-core", CORE_UID_BASE + SUPERVISOR), SIGKILL);
}
END_TEST

START_TEST(core_manager_without_its_jail_is_ended)
{
	ck_assert_int_eq(clear_beside("nohype-core", geteuid()), SIGKILL);
}
END_TEST

/* The kernel ends a core manager with its supervisor, and its number can be anyone's soon. */
START_TEST(another_is_left_alone)
{
	ck_assert_int_eq(clear_beside("database", geteuid()), 0);
}
END_TEST

START_TEST(core_manager_of_another_is_left_alone)
{
	if (geteuid() == 0) /* one uid for all, else */
		ck_assert_int_eq(clear_beside("nohype-core", CORE_UID_BASE + SUPERVISOR + 1), 0);
}
END_TEST

/* Nobody can write to its rings' memory: then not all is clear, whatever its own is. */
START_TEST(rings_count)
{
	struct managed vm = { .name = "web", .state = "sealed", .pid_fd = -1, .life_fd = -1 };
	int rings = memfd_create("rings", MFD_CLOEXEC), status;
	char path[64];

	vm.memory_fd = memfd_create("memory", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(vm.memory_fd, (off_t)MIB(2)), 0);
	ck_assert_int_eq(ftruncate(rings, (off_t)MIB(2)), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", rings);
	vm.rings_fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(vm.rings_fd, 0);
	ck_assert(memory_clear_begin(&vm));
	ck_assert_int_eq(waitpid(vm.pid, &status, 0), vm.pid);
	ck_assert_int_ne(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clear");
	TCase *tc = tcase_create("clear");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, core_manager_is_ended);
	tcase_add_test(tc, core_manager_without_its_jail_is_ended);
	tcase_add_test(tc, another_is_left_alone);
	tcase_add_test(tc, core_manager_of_another_is_left_alone);
	tcase_add_test(tc, rings_count);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
