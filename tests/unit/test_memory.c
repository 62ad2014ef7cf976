// SPDX-License-Identifier: GPL-2.0-only
/* The guest's memory: whole, zero, size-locked, out of dumps and children, and given back. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capture.h"
#include "memmap/memmap.h"

struct counter {
	uint64_t calls, last, total;
};

static void count(void *ctx, uint64_t done, uint64_t total)
{
	struct counter *counter = ctx;

	ck_assert_uint_ge(done, counter->last);
	counter->calls++;
	counter->last = done;
	counter->total = total;
}

static struct memory_request request(uint64_t size, uint64_t page_size)
{
	struct memory_request req = { .page_size = page_size };

	layout_plan(&req.layout, size);
	return req;
}

static void reserve(struct memory *mem, uint64_t size)
{
	struct memory_request req = request(size, KIB(4));

	ck_assert_int_eq(memory_reserve(mem, &req), 0);
}

/* memory_check and memory_reserve must refuse; their message. Freed by the caller. */
static char *refuse(uint64_t size, uint64_t page_size, int err)
{
	struct memory_request req = request(size, page_size);
	struct capture cap;
	struct memory mem;
	char *text, *checked;
	int got;

	ck_assert_int_eq(capture_begin(&cap), 0);
	got = memory_check(&req);
	checked = capture_end(&cap);
	ck_assert_int_eq(got, err);
	ck_assert_int_eq(capture_begin(&cap), 0);
	got = memory_reserve(&mem, &req);
	text = capture_end(&cap);
	ck_assert_int_eq(got, err);
	ck_assert_str_eq(checked, text);
	free(checked);
	ck_assert_int_eq(mem.fd, -1);
	ck_assert_ptr_null(mem.host);
	return text;
}

START_TEST(reserved_whole)
{
	struct memory_request req = request(MIB(130), KIB(4));
	struct counter counter = { 0 };
	struct memory mem;
	struct stat st;

	req.progress = count;
	req.progress_ctx = &counter;
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_int_eq(fstat(mem.fd, &st), 0);
	ck_assert_int_eq(st.st_size, MIB(130));
	ck_assert_int_eq(st.st_blocks * 512, MIB(130)); /* each page is there before anything touched it */
	ck_assert_uint_ge(counter.calls, 1);
	ck_assert_uint_eq(counter.last, MIB(130));
	ck_assert_uint_eq(counter.total, MIB(130));
	memory_release(&mem);
	ck_assert_int_eq(mem.fd, -1);
}
END_TEST

/* A node has its part and its disks: all is bound, and read back where the pages are. */
START_TEST(disk_on_a_node)
{
	struct memory_request req = request(MIB(64), KIB(4));
	struct memory_nodes *nodes = &req.nodes;
	struct memory mem;

	if (node_of_cpu(0) != 0)
		return; /* a kernel without NUMA */
	layout_add_disk(&req.layout, MIB(32));
	*nodes = (struct memory_nodes){ 1, { { 0, 0, MIB(64) } }, 1, { { 0, MIB(64), MIB(32) } } };
	ck_assert_uint_eq(nodes_bytes(nodes, 0), MIB(96));
	ck_assert_uint_eq(nodes_bytes(nodes, 1), 0);
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_uint_eq(mem.placement.count, 1);
	ck_assert_uint_eq(mem.placement.nodes[0].node, 0);
	ck_assert_uint_eq(mem.placement.nodes[0].bytes, MIB(96));
	memory_release(&mem);
}
END_TEST

START_TEST(size_locked)
{
	const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct memory mem;

	reserve(&mem, MIB(64));
	ck_assert_int_eq(fcntl(mem.fd, F_GET_SEALS) & wanted, wanted);
	ck_assert_int_eq(ftruncate(mem.fd, MIB(62)), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(mem.fd, MIB(66)), -1);
	ck_assert_int_eq(fcntl(mem.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	ck_assert_int_eq(fcntl(mem.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	memory_release(&mem);
}
END_TEST

/* The flags that /proc/self/smaps has for the mapping at @host. */
static void vm_flags(const void *host, char flags[256])
{
	char line[512], start[32];
	bool found = false;
	FILE *file = fopen("/proc/self/smaps", "re");

	ck_assert_ptr_nonnull(file);
	snprintf(start, sizeof(start), "%" PRIxPTR "-", (uintptr_t)host);
	*flags = '\0';
	while (!*flags && fgets(line, sizeof(line), file)) {
		found = found || !strncmp(line, start, strlen(start));
		if (found && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, 256, "%.255s", line);
	}
	fclose(file);
}

START_TEST(mapped)
{
	char flags[256];
	struct memory mem;

	reserve(&mem, MIB(64));
	ck_assert_int_eq(memory_map(&mem), 0);
	vm_flags(mem.host, flags);
	ck_assert_ptr_nonnull(strstr(flags, " dd")); /* not in core dumps */
	ck_assert_ptr_nonnull(strstr(flags, " dc")); /* not in children */
	ck_assert_ptr_nonnull(strstr(flags, " sh")); /* shared */
	for (uint64_t at = 0; at < MIB(64); at += KIB(4))
		ck_assert_uint_eq(mem.host[at], 0);
	memory_unmap(&mem);
	ck_assert_ptr_null(mem.host);
	ck_assert_int_ge(mem.fd, 0);
	memory_release(&mem);
}
END_TEST

START_TEST(kept_when_unmapped)
{
	struct memory mem;

	reserve(&mem, MIB(64));
	ck_assert_int_eq(memory_map(&mem), 0);
	strcpy(memory_at(&mem, MIB(20), 6, "text"), "hello");
	memory_unmap(&mem);
	ck_assert_int_eq(memory_map(&mem), 0);
	ck_assert_str_eq(memory_at(&mem, MIB(20), 6, "text"), "hello");
	ck_assert_str_eq((char *)mem.host + MIB(6), "hello"); /* the range from 16 MiB on is 2 MiB into the file */
	memory_release(&mem);
}
END_TEST

START_TEST(at_refuses)
{
	struct capture cap;
	struct memory mem;
	char *text;
	void *at;

	reserve(&mem, MIB(64));
	ck_assert_int_eq(memory_map(&mem), 0);
	ck_assert_ptr_nonnull(memory_at(&mem, 0, MIB(2), "x"));
	capture_begin(&cap);
	at = memory_at(&mem, MIB(2) - 4, 8, "page tables");
	text = capture_end(&cap);
	ck_assert_ptr_null(at);
	ck_assert_str_eq(text, "nohype: error: page tables: 8 bytes at 0x1ffffc: not in the guest's memory\n");
	free(text);
	memory_release(&mem);
}
END_TEST

/*
 * What the guest left, in each page and at the ends of each range; and what had it mapped sees it go. Of sizes that are
 * one part, or parts of which the last is smaller.
 */
static const uint64_t clear_sizes[] = { MIB(64), MIB(2), MIB(30), MIB(34), MIB(98) };

START_TEST(cleared)
{
	const enum memory_clear_how how = _i % 2 ? MEMORY_CLEAR_VERIFY : MEMORY_CLEAR_SAMPLE;
	const struct memory_crew crew = { 0 };
	uint64_t clear = 0, size = clear_sizes[_i / 2];
	struct memory_cleared told;
	struct memory mem;
	uint8_t *other;

	reserve(&mem, size);
	ck_assert_int_eq(memory_map(&mem), 0);
	for (uint64_t at = 0; at < size; at += KIB(4))
		memset(mem.host + at + at / KIB(4) % KIB(4), 0xa5, 1);
	mem.host[0] = mem.host[MIB(2) - 1] = mem.host[size - 1] = 1;
	memory_unmap(&mem);
	ck_assert_int_eq(memory_clear(&mem, &crew, how, &told), 0);
	ck_assert_uint_eq(told.bytes, size);
	ck_assert_int_eq(told.verified, how == MEMORY_CLEAR_VERIFY);
	ck_assert_uint_ge(told.threads, 1);
	ck_assert_uint_gt(strlen(told.stores), 0);
	ck_assert_ptr_null(mem.host);
	other = mmap(NULL, size, PROT_READ, MAP_SHARED, mem.fd, 0);
	ck_assert_ptr_ne(other, MAP_FAILED);
	while (clear < size && !other[clear])
		clear++;
	ck_assert_uint_eq(clear, size);
	munmap(other, size);
	memory_release(&mem);
}
END_TEST

/* Something that still writes is found out: what isn't zero is not called cleared. */
static void *scribble(void *page)
{
	for (;;)
		*(volatile uint8_t *)page = 1;
	return NULL;
}

START_TEST(clear_reads_back)
{
	const struct memory_crew crew = { 0 };
	struct memory_cleared told;
	struct capture cap;
	struct memory mem;
	pthread_t thread;
	uint8_t *last;
	char *text = NULL;
	int err = 0;

	reserve(&mem, MIB(64));
	last = mmap(NULL, KIB(4), PROT_READ | PROT_WRITE, MAP_SHARED, mem.fd, MIB(64) - KIB(4));
	ck_assert_ptr_ne(last, MAP_FAILED);
	ck_assert_int_eq(pthread_create(&thread, NULL, scribble, last), 0);
	/* On a busy machine the thread may not run between the clearing and the look at it. */
	for (int tries = 0; tries < 200 && !err; tries++) {
		while (!*(volatile uint8_t *)last)
			;
		free(text);
		capture_begin(&cap);
		err = memory_clear(&mem, &crew, MEMORY_CLEAR_VERIFY, &told);
		text = capture_end(&cap);
	}
	ck_assert_int_eq(err, -EIO);
	ck_assert_str_eq(text, "nohype: error: memory: something wrote to it while it was cleared\n");
	free(text);
	memory_release(&mem);
}
END_TEST

static const struct memory *failing; /* the hardware doesn't take its first page any more */
static pid_t survivor;		     /* who else works on it is killed when that page was found; 0: nobody is */

int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);

int __wrap_madvise(void *at, size_t len, int advice)
{
	if (!failing || advice != MADV_POPULATE_WRITE)
		return __real_madvise(at, len, advice);
	if (at == failing->host) {
		errno = EHWPOISON;
		return -1;
	}
	if (survivor && getpid() != survivor && len > failing->page_size)
		kill(getpid(), SIGKILL);
	return __real_madvise(at, len, advice);
}

/* What of it failed counts once, also when whoever had begun to clear it was killed; and where it goes is said. */
static const struct {
	uint64_t page_size;
	bool killed;
	const char *said;
} failures[] = {
	{ KIB(4), false,
	  "nohype: warning: memory: 4 KiB have failed and aren't cleared: the kernel gives these pages to nobody\n" },
	{ KIB(4), true,
	  "nohype: error: memory: the process that works on it was killed by signal 9 (Killed)\n"
	  "nohype: warning: memory: 4 KiB have failed and aren't cleared: the kernel gives these pages to nobody\n" },
	{ MIB(2), false,
	  "nohype: warning: memory: 2048 KiB have failed and aren't cleared: the kernel keeps the part that failed, "
	  "and zeroes what is around it before its next user\n" },
};

START_TEST(some_has_failed)
{
	const unsigned int core = 0;
	const struct memory_crew crew = { .cores = &core, .count = 1 };
	uint64_t page_size = failures[_i].page_size;
	struct memory_cleared told;
	struct capture cap;
	struct memory mem;
	char *said;

	reserve(&mem, MIB(64));
	mem.page_size = page_size; /* as if it were */
	failing = &mem;
	survivor = failures[_i].killed ? getpid() : 0;
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_eq(memory_clear(&mem, &crew, MEMORY_CLEAR_SAMPLE, &told), 0);
	said = capture_end(&cap);
	failing = NULL;
	ck_assert_str_eq(said, failures[_i].said);
	ck_assert_uint_eq(told.failed, page_size);
	ck_assert_uint_eq(told.bytes, MIB(64) - page_size);
	free(said);
	memory_release(&mem);
}
END_TEST

START_TEST(clear_of_none)
{
	struct memory mem = { .fd = -1, .layout.size = MIB(2) };
	const struct memory_crew crew = { 0 };
	struct memory_cleared told;
	struct capture cap;
	int err;

	capture_begin(&cap);
	err = memory_clear(&mem, &crew, MEMORY_CLEAR_SAMPLE, &told);
	free(capture_end(&cap));
	ck_assert_int_eq(err, -EBADF);
}
END_TEST

START_TEST(release_of_none)
{
	struct memory mem = { .fd = -1 };

	memory_release(&mem);
	memory_release(&mem);
	ck_assert_int_eq(mem.fd, -1);
}
END_TEST

START_TEST(more_than_the_host)
{
	char *text = refuse(GIB(4096), KIB(4), -ENOMEM);

	ck_assert_ptr_nonnull(strstr(text, "memory.size: \"4T\": more than this host has free ("));
	ck_assert_ptr_nonnull(strstr(text, "iB)\n"));
	free(text);
}
END_TEST

START_TEST(not_whole_pages)
{
	char *text = refuse(MIB(512), GIB(1), -EINVAL);

	ck_assert_str_eq(text, "nohype: error: memory.size: \"512M\": not a multiple of its pages' size (1G)\n");
	free(text);
}
END_TEST

static bool have_hugepages(void)
{
	return !access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK);
}

START_TEST(too_few_hugepages)
{
	char *text;

	if (!have_hugepages())
		return;
	text = refuse(GIB(4096), MIB(2), -ENOMEM);
	ck_assert_ptr_nonnull(strstr(text, "memory.size: \"4T\": wants 2097152 huge pages of 2M: this host has "));
	ck_assert_ptr_nonnull(strstr(text, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`\n"));
	free(text);
}
END_TEST

/* With what the rings will take, though memory_reserve itself doesn't take it. */
START_TEST(too_few_for_the_rings)
{
	struct memory_request req = request(GIB(4096), MIB(2));
	struct capture cap;
	char *text;

	if (!have_hugepages())
		return;
	req.rings = MIB(2);
	capture_begin(&cap);
	ck_assert_int_eq(memory_check(&req), -ENOMEM);
	text = capture_end(&cap);
	ck_assert_ptr_nonnull(strstr(text, "memory.size: \"4T\" and rings: wants 2097153 huge pages of 2M: "));
	free(text);
}
END_TEST

static unsigned int hugepages_free(void)
{
	unsigned int n = 0;
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");

	if (file && fscanf(file, "%u", &n) != 1)
		n = 0;
	if (file)
		fclose(file);
	return n;
}

/* With 2 MiB pages reserved (the rig's --hugepages): all taken, size-locked, zero, and given back. */
START_TEST(hugepages)
{
	const unsigned int free_before = hugepages_free(), pages = 32;
	struct memory_request req = request(pages * MIB(2), MIB(2));
	struct memory mem;

	if (free_before < pages)
		return;
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_uint_eq(hugepages_free(), free_before - pages);
	ck_assert_int_eq(ftruncate(mem.fd, MIB(2)), -1);
	ck_assert_int_eq(memory_map(&mem), 0);
	for (uint64_t at = 0; at < req.layout.size; at += KIB(4))
		ck_assert_uint_eq(mem.host[at], 0);
	memory_release(&mem);
	ck_assert_uint_eq(hugepages_free(), free_before);
}
END_TEST

/* One page more than there are: refused, and none is kept. */
START_TEST(hugepages_one_short)
{
	const unsigned int free_before = hugepages_free();
	char wanted[256], *text;

	if (free_before < 32)
		return;
	text = refuse((free_before + 1) * MIB(2), MIB(2), -ENOMEM);
	snprintf(wanted, sizeof(wanted), "wants %u huge pages of 2M: this host has %u, %u of them free",
		 free_before + 1, free_before, free_before);
	ck_assert_ptr_nonnull(strstr(text, wanted));
	free(text);
	ck_assert_uint_eq(hugepages_free(), free_before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tc = tcase_create("memory"), *huge = tcase_create("hugepages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, reserved_whole);
	tcase_add_test(tc, disk_on_a_node);
	tcase_add_test(tc, size_locked);
	tcase_add_test(tc, mapped);
	tcase_add_test(tc, kept_when_unmapped);
	tcase_add_test(tc, at_refuses);
	tcase_add_loop_test(tc, cleared, 0, 2 * ARRAY_SIZE(clear_sizes));
	tcase_add_test(tc, clear_reads_back);
	tcase_add_loop_test(tc, some_has_failed, 0, ARRAY_SIZE(failures));
	tcase_add_test(tc, clear_of_none);
	tcase_add_test(tc, release_of_none);
	tcase_add_test(tc, more_than_the_host);
	tcase_add_test(tc, not_whole_pages);
	tcase_add_test(huge, too_few_hugepages);
	tcase_add_test(huge, too_few_for_the_rings);
	tcase_add_test(huge, hugepages);
	tcase_add_test(huge, hugepages_one_short);
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, huge);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
