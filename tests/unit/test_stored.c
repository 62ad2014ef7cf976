// SPDX-License-Identifier: GPL-2.0-only
/* systemd's fd store: what is said to it, and what of that which it gives is taken for what. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/fd.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define FIRST_FD  3 /* of those that systemd gives */
#define GIVEN_MAX 8
#define SIZE	  MIB(2)

/* --- one that takes messages as systemd does: texts, and the inodes of what came with them --- */

static struct {
	char path[64], said[16][256];
	ino_t inodes[16];
	unsigned int count;
	int fd;
	pthread_t thread;
} other;

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void *other_run(void *unused)
{
	char text[256];
	ssize_t len;
	int fd;

	while ((len = fd_receive(other.fd, text, sizeof(text) - 1, &fd, 1, 0)) > 0) {
		text[len] = '\0';
		if (strncmp(text, "BARRIER=1", strlen("BARRIER=1")) != 0 && other.count < ARRAY_SIZE(other.said)) {
			other.inodes[other.count] = fd < 0 ? 0 : inode(fd);
			snprintf(other.said[other.count++], sizeof(other.said[0]), "%s", text);
		}
		/* a barrier's is what its sender waits for */
		fd_close(&fd);
	}
	return unused;
}

static void other_begin(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(other.path, sizeof(other.path), "/tmp/test-stored-%d", (int)getpid());
	strcpy(address.sun_path, other.path);
	other.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(other.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", other.path, 1);
	ck_assert_int_eq(pthread_create(&other.thread, NULL, other_run, NULL), 0);
}

/* All that was said before is there. */
static void other_end(void)
{
	service_barrier();
	shutdown(other.fd, SHUT_RD);
	pthread_join(other.thread, NULL);
	close(other.fd);
	unlink(other.path);
}

/* How often it was told that, with a copy of @fd if that is one. */
static unsigned int told(const char *text, int fd)
{
	unsigned int times = 0;

	for (unsigned int i = 0; i < other.count; i++)
		times += strcmp(other.said[i], text) == 0 && other.inodes[i] == (fd < 0 ? 0 : inode(fd));
	return times;
}

/* --- what it gives --- */

static int memory_make(void)
{
	int fd = memfd_create("nohype-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert_int_eq(pwrite(fd, "a tenant's", 10, 4096), 10);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	return fd;
}

static bool is_zero(int fd)
{
	char found[10];

	ck_assert_int_eq(pread(fd, found, sizeof(found), 4096), sizeof(found));
	for (size_t i = 0; i < sizeof(found); i++)
		if (found[i])
			return false;
	return true;
}

static int listener_make(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the kernel chooses a name */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

/* What is opened from here on leaves those numbers free, of which Check has the first. */
static int check_fd, given_count;

static void numbers_leave(void)
{
	check_fd = fcntl(FIRST_FD, F_DUPFD_CLOEXEC, FIRST_FD + GIVEN_MAX);
	while (open("/dev/null", O_RDWR | O_CLOEXEC) < FIRST_FD + GIVEN_MAX)
		;
}

/* As if systemd had started us with these; no assertion until given_end(). */
static void give(struct service *service, const char *names, const int *fds, int count)
{
	char number[16];

	for (int i = 0; i < count; i++)
		dup2(fds[i], FIRST_FD + i);
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%d", count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
	given_count = count;
	service_begin(service);
}

/* How many of what was given are still in use. */
static unsigned int given_end(void)
{
	unsigned int count = 0;

	for (int i = 0; i < given_count; i++)
		count += fcntl(FIRST_FD + i, F_GETFD) >= 0;
	ck_assert_int_eq(dup2(check_fd, FIRST_FD), FIRST_FD);
	return count;
}

static void manager_begin(struct manager *manager, json_int_t run)
{
	ck_assert_ptr_nonnull(vm_add(manager, "web"));
	manager->vms[0]->run = run;
}

/* What it says of what is left is of no interest. */
static void manager_end(struct manager *manager)
{
	struct capture capture;

	ck_assert_int_eq(capture_begin(&capture), 0);
	service_end(&manager->service);
	free(capture_end(&capture));
	vm_remove(manager, manager->vms[0]);
}

/* --- tests --- */

static const struct {
	const char *name;
	bool ours;
} names[] = {
	{ "memory/5/web", true },
	{ "rings/9223372036854775807/web-4.x_", true },
	{ "memory/5/start", true },
	{ "", false },
	{ "stored", false },
	{ "memory", false },
	{ "memory/", false },
	{ "memory//web", false },
	{ "memory/5/", false },
	{ "memory/5", false },
	{ "memory/-5/web", false },
	{ "memory/5x/web", false },
	{ "memory/5/../web", false },
	{ "memory/5/web/rings", false },
	{ "memory/5/web\nFDSTORE=1", false },
	{ "memory/5/we\033[2Jb", false },
	{ "other/5/web", false },
	{ "xmemory/5/web", false },
	{ "memory/5/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
};

START_TEST(name)
{
	ck_assert_int_eq(stored_is_name(names[_i].name), names[_i].ours);
}
END_TEST

/* The rings before the memory; and out of it, both, before the call returns. */
START_TEST(put_and_drop)
{
	struct manager manager = { 0 };
	struct managed *vm;

	other_begin();
	manager_begin(&manager, 7);
	vm = manager.vms[0];
	vm->memory_fd = memory_make();
	vm->rings_fd = memory_make();
	stored_put(vm);
	service_barrier();
	ck_assert_uint_eq(other.count, 2);
	ck_assert_str_eq(other.said[0], "FDSTORE=1\nFDPOLL=0\nFDNAME=rings/7/web");
	ck_assert_uint_eq(told("FDSTORE=1\nFDPOLL=0\nFDNAME=rings/7/web", vm->rings_fd), 1);
	ck_assert_uint_eq(told("FDSTORE=1\nFDPOLL=0\nFDNAME=memory/7/web", vm->memory_fd), 1);
	memory_drop(vm);
	ck_assert_uint_eq(other.count, 4);
	ck_assert_uint_eq(told("FDSTOREREMOVE=1\nFDNAME=memory/7/web", -1), 1);
	ck_assert_uint_eq(told("FDSTOREREMOVE=1\nFDNAME=rings/7/web", -1), 1);
	ck_assert_int_eq(vm->memory_fd, -1);
	ck_assert_int_eq(vm->rings_fd, -1);
	memory_drop(vm);
	other_end();
	ck_assert_uint_eq(other.count, 4);
	manager_end(&manager);
}
END_TEST

/* A life's own, by name and kind; sockets are sockets. */
START_TEST(taken)
{
	const int fds[] = { listener_make(), memory_make(), memory_make(), memory_make() };
	struct manager manager = { 0 };
	int sockets[3], flags, close_flags;
	struct managed *vm;

	manager_begin(&manager, 7);
	vm = manager.vms[0];
	give(&manager.service, "api.sock:rings/7/web:memory/7/web:memory/6/web", fds, 4);
	sockets[0] = service_socket(&manager.service, "monitor.sock");
	sockets[1] = service_socket(&manager.service, "api.sock");
	sockets[2] = service_socket(&manager.service, "api.sock");
	flags = fcntl(sockets[1], F_GETFL);
	stored_take(&manager, vm);
	close_flags = fcntl(vm->memory_fd, F_GETFD);
	vm->run = 6; /* has some already */
	stored_take(&manager, vm);
	ck_assert_uint_eq(given_end(), 4);
	ck_assert_int_eq(sockets[0], -1);
	ck_assert_int_eq(sockets[1], FIRST_FD);
	ck_assert_int_eq(sockets[2], -1);
	ck_assert_int_eq(flags & O_NONBLOCK, O_NONBLOCK);
	ck_assert_int_eq(vm->memory_fd, FIRST_FD + 2);
	ck_assert_int_eq(vm->rings_fd, FIRST_FD + 1);
	ck_assert_int_eq(close_flags, FD_CLOEXEC);
	manager_end(&manager);
}
END_TEST

static unsigned int times_in(const char *text, const char *what)
{
	unsigned int times = 0;

	while ((text = strstr(text, what)) && ++times)
		text++;
	return times;
}

/* What doesn't fit its name, or has a hostile one: a warning each, closed, and no longer kept. */
START_TEST(refused)
{
	static const char all[] = "api.sock:memory/7/web:memory/7/web:rings/7/web:a\nFDSTORE=1:stored:";
	int pipes[2], loose = memfd_create("loose", MFD_CLOEXEC);
	struct manager manager = { 0 };
	struct capture capture;
	char *said;

	ck_assert_int_eq(ftruncate(loose, SIZE), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	other_begin();
	manager_begin(&manager, 7);
	ck_assert_int_eq(capture_begin(&capture), 0);
	give(&manager.service, all,
	     (const int[]){ memory_make(), listener_make(), loose, pipes[0], pipes[1], check_fd, memory_make() }, 7);
	service_socket(&manager.service, "api.sock");
	stored_take(&manager, manager.vms[0]);
	stored_strays(&manager);
	stored_end(&manager);
	said = capture_end(&capture);
	ck_assert_uint_eq(given_end(), 0);
	other_end();
	ck_assert_int_eq(manager.vms[0]->memory_fd, -1);
	ck_assert_uint_eq(times_in(said, "nohype: warning: systemd gave a file descriptor \""), 7);
	ck_assert_uint_eq(times_in(said, "\n"), 7);
	ck_assert_uint_eq(times_in(said, "descriptor \"a\\nFDSTORE=1\", which is no socket"), 1);
	ck_assert_uint_eq(told("FDSTOREREMOVE=1\nFDNAME=memory/7/web", -1), 2);
	ck_assert_uint_eq(told("FDSTOREREMOVE=1\nFDNAME=stored", -1), 1);
	for (unsigned int i = 0; i < other.count; i++)
		ck_assert_ptr_null(strstr(other.said[i], "FDSTORE=1"));
	free(said);
	manager_end(&manager);
}
END_TEST

/* As root, and not in every container. */
static bool all_is_seen(void)
{
	int fd = open("/proc/1/maps", O_RDONLY | O_CLOEXEC);
	bool seen = fd >= 0;

	fd_close(&fd);
	return seen;
}

/* Another life's memory, which nobody has but systemd and us: cleared. The one that is held is kept on. */
START_TEST(stray)
{
	const int held = memory_make(), left = memory_make();
	struct manager manager = { 0 };
	struct capture capture;
	char *said;

	if (!all_is_seen())
		return; /* and then it is left */
	other_begin();
	manager_begin(&manager, 7);
	ck_assert_int_eq(capture_begin(&capture), 0);
	give(&manager.service, "rings/6/web:memory/7/web", (const int[]){ left, held }, 2);
	stored_take(&manager, manager.vms[0]);
	stored_strays(&manager);
	stored_end(&manager);
	said = capture_end(&capture);
	ck_assert_uint_eq(given_end(), 1);
	other_end();
	ck_assert_ptr_nonnull(strstr(said, "\"rings/6/web\" of systemd's fd store is no VM's that is known, and no "
					   "process has it: cleared by nohyped"));
	ck_assert(is_zero(left));
	ck_assert(!is_zero(held));
	ck_assert_uint_eq(told("FDSTOREREMOVE=1\nFDNAME=rings/6/web", -1), 1);
	ck_assert_uint_eq(told("FDSTORE=1\nFDPOLL=0\nFDNAME=memory/7/web", held), 1);
	free(said);
	manager_end(&manager);
}
END_TEST

/* Another process, which has it open or mapped until *@end is closed. */
static pid_t user_begin(int fd, bool mapped, int *end)
{
	int begun[2], ended[2];
	void *map = NULL;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(begun), 0);
	ck_assert_int_eq(pipe(ended), 0);
	pid = fork();
	if (pid == 0) {
		if (mapped)
			map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED)
			_exit(1);
		if (mapped)
			close(fd);
		close(ended[1]);
		_exit(write(begun[1], "", 1) == 1 && read(ended[0], &byte, 1) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(read(begun[0], &byte, 1), 1);
	*end = ended[1];
	return pid;
}

/* Then nothing of it is touched, and who sees all is told who that is. */
START_TEST(used)
{
	const int fd = memory_make();
	struct manager manager = { 0 };
	struct capture capture;
	char *said, whose[32];
	int end;

	snprintf(whose, sizeof(whose), "process %d,", (int)user_begin(fd, _i, &end));
	manager_begin(&manager, 7);
	ck_assert_int_eq(capture_begin(&capture), 0);
	give(&manager.service, "memory/6/web", &fd, 1);
	stored_strays(&manager);
	said = capture_end(&capture);
	ck_assert_uint_eq(given_end(), 0);
	close(end);
	ck_assert_ptr_nonnull(strstr(said, "\"memory/6/web\" of systemd's fd store is no VM's that is known: left to"));
	if (all_is_seen())
		ck_assert_ptr_nonnull(strstr(said, whose));
	ck_assert(!is_zero(fd));
	free(said);
	manager_end(&manager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored");
	TCase *tests = tcase_create("stored");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, numbers_leave, NULL);
	tcase_add_loop_test(tests, name, 0, ARRAY_SIZE(names));
	tcase_add_test(tests, put_and_drop);
	tcase_add_test(tests, taken);
	tcase_add_test(tests, refused);
	tcase_add_test(tests, stray);
	tcase_add_loop_test(tests, used, 0, 2);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
