// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of `make bench`: its first process, and the same under every VMM. By one OUT it says that it is there, by a
 * second it asks to be sealed (under other VMMs nothing is at that port), and then it works in three phases: a process
 * that computes, nothing but sleeping, a process that allocates memory and forks. What it is at and what it did stands
 * in one page, whose number it says before: so no exit is needed later. page.py reads it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/ports.h"

#define PORT_MARK 0x7e0 /* nothing is there, on any of the machines */

#define ROUND	    100000 /* steps between two looks at the clock: well under a millisecond */
#define NAP_NS	    100000000
#define BLOCK_SIZE  (4 << 20) /* what the forking process allocates, writes and gives back each time */
#define CHILD_WRITE (1 << 20) /* how much of it the child writes, so that it is copied */
#define PAGE	    4096

#define CONSOLE_LEVEL 8 /* of syslog(2): what the kernel still prints */

enum phase { BEFORE, BUSY, IDLE, FORK, DONE };

/* Times by the guest's own clock; ticks as its kernel counts the timer's interrupts. */
struct record {
	uint64_t start_ns, end_ns;
	uint64_t start_ticks, end_ticks;
	uint64_t work;
};

struct page {
	uint64_t magic[2];
	uint64_t phase;
	struct record records[DONE]; /* the first is of no use */
};

static const uint64_t magic[2] = { 0x6e6f687970652062ULL, 0x656e636820706167ULL };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* "LOC: 123 Local timer interrupts", of one CPU. */
static uint64_t ticks(void)
{
	unsigned long long count = 0;
	char line[256];
	FILE *file = fopen("/proc/interrupts", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " LOC: %llu", &count) == 1)
			break;
	if (file)
		fclose(file);
	return count;
}

/* As examples/guests/programs/busy.c: each step needs the one before, so none can be left out. */
static void work_busy(volatile uint64_t *work, uint64_t end)
{
	uint64_t x = 1;

	for (; now_ns() < end; ++*work)
		for (int i = 0; i < ROUND; i++) {
			x = x * 6364136223846793005 + 1442695040888963407;
			__asm__ volatile("" : "+r"(x));
		}
}

static void work_idle(volatile uint64_t *work, uint64_t end)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };

	for (; now_ns() < end; ++*work)
		nanosleep(&nap, NULL);
}

static void write_pages(volatile char *block, size_t size)
{
	for (size_t i = 0; i < size; i += PAGE)
		block[i] = 1;
}

static void work_fork(volatile uint64_t *work, uint64_t end)
{
	for (; now_ns() < end; ++*work) {
		char *block = malloc(BLOCK_SIZE); /* of that size a mapping of its own, which free() gives back */
		pid_t child;

		if (!block)
			_exit(1);
		write_pages(block, BLOCK_SIZE);
		child = fork();
		if (child < 0)
			_exit(1);
		if (!child) {
			write_pages(block, CHILD_WRITE);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		free(block);
	}
}

/* In a process of its own. */
static void run_phase(struct page *page, enum phase phase, void (*work)(volatile uint64_t *, uint64_t), uint64_t ns)
{
	struct record *record = &page->records[phase];
	pid_t child;

	record->start_ticks = ticks();
	record->start_ns = now_ns();
	page->phase = phase;
	child = fork();
	if (!child) {
		work(&record->work, record->start_ns + ns);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	record->end_ns = now_ns();
	record->end_ticks = ticks();
}

static struct page *page_make(void)
{
	struct page *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0, 0);

	if (page == MAP_FAILED || mlock(page, PAGE))
		exit(1);
	memset(page, 0, PAGE);
	memcpy(page->magic, magic, sizeof(magic));
	return page;
}

/* Where it is in the guest's memory: Documentation/admin-guide/mm/pagemap.rst, bits 0-54. */
static uint32_t page_number(const struct page *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / PAGE * sizeof(entry))) != sizeof(entry))
		exit(1);
	close(fd);
	return (uint32_t)(entry & ((1ULL << 55) - 1));
}

int main(void)
{
	const char *seconds = getenv("BENCH_SECONDS"); /* of each phase; from the kernel's command line */
	uint64_t ns = (uint64_t)(strtod(seconds ? seconds : "6", NULL) * 1e9);
	struct page *page;

	if (getpid() != 1 || ioperm(PORT_MARK, 4, 1) || ioperm(PORT_SEAL, 1, 1)) {
		fputs("bench: error: this is the first process of a guest, for make bench\n", stderr);
		return 1;
	}
	outb(1, PORT_MARK);
	mount("proc", "/proc", "proc", 0, NULL);
	klogctl(CONSOLE_LEVEL, NULL, 1);
	page = page_make();
	outl(page_number(page), PORT_MARK);
	outb(1, PORT_SEAL);
	run_phase(page, BUSY, work_busy, ns);
	run_phase(page, IDLE, work_idle, ns);
	run_phase(page, FORK, work_fork, ns);
	page->phase = DONE;
	for (;;)
		pause();
}
