// SPDX-License-Identifier: GPL-2.0-only
/* The way back of a VM whose core manager is dead, as far as it needs no host's right. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

static char name[] = "web";

/* Memory of one range; @mode: how it can be opened again, and so whether anyone can write to it. */
static struct memory memory_make(int mode)
{
	struct memory mem = { .page_size = KIB(4), .layout = { .size = MIB(2), .count = 1 } };
	int fd = memfd_create("memory", MFD_CLOEXEC);
	char path[64];

	mem.layout.ranges[0] = (struct memory_range){ .size = MIB(2), .kind = MEMORY_RAM };
	ck_assert_int_eq(ftruncate(fd, (off_t)mem.layout.size), 0);
	ck_assert_int_eq(pwrite(fd, "secret", 6, 4096), 6);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mem.fd = open(path, mode | O_CLOEXEC);
	ck_assert_int_ge(mem.fd, 0);
	close(fd);
	return mem;
}

/* What became of it, with the guest's memory and the rings' in these modes. */
static struct outcome give_back(int mode, int rings_mode)
{
	static const struct run_options options;
	const struct vm_config cfg = { .name = name };
	struct outcome outcome = { .code = EXIT_CLEAN, .text = "the guest powered off" };
	static struct vm vm;
	struct capture cap;

	vm_init(&vm, &cfg, &options);
	vm.outcome = &outcome;
	vm.memory = memory_make(mode);
	vm.rings.memory = memory_make(rings_mode);
	vm.core_pid = 1;
	vm.core_gone = true;
	ck_assert_int_eq(capture_begin(&cap), 0);
	vm_give_back(&vm);
	free(capture_end(&cap));
	ck_assert_int_eq(vm.memory.fd, -1);
	ck_assert_int_eq(vm.rings.memory.fd, -1);
	ck_assert_uint_eq(vm.cleared.bytes, mode == O_RDWR ? MIB(2) : 0);
	return outcome;
}

START_TEST(cleared)
{
	struct outcome outcome = give_back(O_RDWR, O_RDWR);

	ck_assert_int_eq(outcome.code, EXIT_CLEAN);
	ck_assert_str_eq(outcome.text, "the guest powered off");
}
END_TEST

static const struct {
	int mode, rings_mode;
	const char *whose;
} uncleared[] = {
	{ O_RDONLY, O_RDWR, "its memory" },
	{ O_RDWR, O_RDONLY, "its rings" },
};

/* No clean end: who asked for one relies on it. */
START_TEST(not_cleared)
{
	struct outcome outcome = give_back(uncleared[_i].mode, uncleared[_i].rings_mode);

	ck_assert_int_eq(outcome.code, EXIT_ERROR);
	ck_assert_msg(strstr(outcome.text, "not cleared") && strstr(outcome.text, uncleared[_i].whose), "%s",
		      outcome.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("give back");
	TCase *tc = tcase_create("give back");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, cleared);
	tcase_add_loop_test(tc, not_cleared, 0, ARRAY_SIZE(uncleared));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
