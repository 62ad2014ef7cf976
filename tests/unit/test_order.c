// SPDX-License-Identifier: GPL-2.0-only
/* An order of nohyped's to a supervisor whose queue is full, as any user can make it. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/supervisor/control.h"
#include "vmm/system/system.h"

#define KNOCKS_MAX 64

static struct manager manager;
static struct managed vm;
static struct sockaddr_un address;
static socklen_t address_len;

static int knock(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	if (!connect(fd, (struct sockaddr *)&address, address_len))
		return fd;
	close(fd);
	return -1;
}

static int listen_as_supervisor(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(vm.name, sizeof(vm.name), "order-%d", (int)getpid());
	vm.state = "sealed";
	vm.pid_fd = vm.life_fd = vm.memory_fd = vm.rings_fd = -1;
	address_len = control_address(&address, geteuid(), vm.name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, address_len), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	manager.vms[0] = &vm;
	manager.count = 1;
	return fd;
}

START_TEST(kept_until_there_is_room)
{
	int listener = listen_as_supervisor(), knocks[KNOCKS_MAX], count = 0, fd;
	char word[16] = "";

	while ((knocks[count] = knock()) >= 0)
		ck_assert_int_lt(++count, KNOCKS_MAX);
	vm_order(&vm, "abort");
	ck_assert(orders_wait(&manager));
	while (count) {
		ck_assert_int_ge(fd = accept(listener, NULL, NULL), 0);
		close(fd);
		close(knocks[--count]);
	}
	ck_assert(!orders_wait(&manager));
	ck_assert_int_ge(fd = accept(listener, NULL, NULL), 0);
	ck_assert_int_eq(recv(fd, word, sizeof(word) - 1, 0), strlen("abort"));
	ck_assert_str_eq(word, "abort");
	close(fd);
	close(listener);
}
END_TEST

/* Nobody is there: it has ended, which its life tells. */
START_TEST(dropped_when_nobody_is_there)
{
	close(listen_as_supervisor());
	vm_order(&vm, "stop");
	ck_assert(!orders_wait(&manager));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *tc = tcase_create("order");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, kept_until_there_is_room);
	tcase_add_test(tc, dropped_when_nobody_is_there);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
