// SPDX-License-Identifier: GPL-2.0-only
/* Exits of a vCPU whose counters move while they are read, one after the other as KVM moves them. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/supervisor/internal.h"

#define READS 20000

enum { ALL, IRQS, WINDOWS };

struct busy_vcpu {
	_Atomic uint64_t *counters;
	atomic_bool stop;
};

/* Exits for the host and for nothing else. */
static void *busy_vcpu(void *arg)
{
	struct busy_vcpu *busy = arg;

	for (unsigned int i = 0; !busy->stop; i++) {
		busy->counters[ALL]++;
		busy->counters[i % 3 ? IRQS : WINDOWS]++;
	}
	return NULL;
}

START_TEST(host_exits_are_never_more_than_all)
{
	struct watched_vcpu vcpu = { .exits_at = { 0, 8, 16 } };
	struct busy_vcpu busy = { 0 };
	pthread_t thread;
	struct exits now = { 0 };

	vcpu.stats_fd = memfd_create("counters", MFD_CLOEXEC);
	ck_assert_int_ge(vcpu.stats_fd, 0);
	ck_assert_int_eq(ftruncate(vcpu.stats_fd, 4096), 0);
	busy.counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu.stats_fd, 0);
	ck_assert_ptr_ne(busy.counters, MAP_FAILED);
	ck_assert_int_eq(pthread_create(&thread, NULL, busy_vcpu, &busy), 0);
	for (unsigned int i = 0; i < READS; i++) {
		ck_assert_int_eq(exits_read(&vcpu, &now), 0);
		ck_assert_uint_le(now.host, now.all);
	}
	busy.stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_eq(exits_read(&vcpu, &now), 0);
	ck_assert_uint_gt(now.all, 0);
	ck_assert_uint_eq(now.host, now.all);
	munmap(busy.counters, 4096);
	close(vcpu.stats_fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tc = tcase_create("ledger");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, host_exits_are_never_more_than_all);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
