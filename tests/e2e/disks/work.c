// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sealed guest that works on its disk: it lies on its root file system as /do/work, seals, then writes files, syncs,
 * reads them back and removes them for nohype.seconds=, counts what it did where the host finds it (memmap=4K$0x8000),
 * adds 1 to the number in /count, and powers off; or, with nohype.plant=1, executes a CPUID instead, of which it dies.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices/ports.h"
#include "examples/guests/nohype-guest.h"

#define EVIDENCE     0x8000
#define SLEEP_ENABLE 0x20 /* SLP_EN of the sleep control register: ACPI 6.5, 4.8.3.7 */
#define QUIET	     8	  /* klogctl: set the console's log level */
#define FILES	     16
#define SIZE	     (256 << 10)

struct evidence {
	volatile uint64_t files;	 /* written, synced, read back and found the same */
	volatile uint64_t wrong;	 /* not the same */
	volatile uint64_t failed;	 /* calls */
	volatile uint64_t count;	 /* what /count had at the start */
	volatile uint64_t before, after; /* the planted instruction */
};

static long param(const char *name)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");
	const char *at;

	if (file && fgets(line, sizeof(line), file))
		fclose(file);
	at = strstr(line, name);
	return at ? atol(at + strlen(name)) : 0;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void file_path(char *path, uint64_t number)
{
	sprintf(path, "/work.%u", (unsigned int)(number % FILES));
}

/* What file @number holds can be told from all others. */
static void pattern_make(uint8_t *bytes, uint64_t number)
{
	uint64_t x = number * 2 + 1;

	for (int i = 0; i < SIZE; i += 8) {
		x = x * 6364136223846793005 + 1442695040888963407;
		memcpy(bytes + i, &x, 8);
	}
}

static int file_write(const char *path, const uint8_t *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int err = fd < 0 || write(fd, bytes, SIZE) != SIZE || fsync(fd);

	return fd < 0 || close(fd) || err;
}

/* From the device, not from the page cache. */
static int file_read(const char *path, uint8_t *bytes)
{
	int fd = open(path, O_RDONLY);
	int err = fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) || read(fd, bytes, SIZE) != SIZE;

	return fd < 0 || close(fd) || err;
}

static void work(struct evidence *evidence, uint64_t number)
{
	static uint8_t wrote[SIZE], found[SIZE];
	char path[32];

	file_path(path, number);
	pattern_make(wrote, number);
	if (file_write(path, wrote) || file_read(path, found) || (number % 3 == 0 && unlink(path)))
		evidence->failed++;
	else if (memcmp(wrote, found, SIZE) != 0)
		evidence->wrong++;
	else
		evidence->files++;
}

static uint64_t count_read(void)
{
	unsigned long count = 0;
	FILE *file = fopen("/count", "r");

	if (file && fscanf(file, "%lu", &count) == 1)
		fclose(file);
	return count;
}

static void count_write(struct evidence *evidence)
{
	FILE *file = fopen("/count", "w");

	if (!file || fprintf(file, "%lu\n", (unsigned long)evidence->count + 1) < 0 || fclose(file))
		evidence->failed++;
	sync();
}

static void plant(struct evidence *evidence)
{
	evidence->before = 1;
	__asm__ volatile("cpuid" : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	evidence->after = 1;
}

int main(void)
{
	int memory = open("/dev/mem", O_RDWR | O_SYNC);
	struct evidence *evidence = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, EVIDENCE);
	uint64_t seconds = (uint64_t)param("nohype.seconds="), end, number = 0;
	long planting = param("nohype.plant=");

	close(memory); /* the mapping stays */
	if (evidence == MAP_FAILED || ioperm(PORT_POWER_OFF, 4, 1) || klogctl(QUIET, NULL, 1))
		return 1;
	memset(evidence, 0, 4096);
	evidence->count = count_read();
	work(evidence, number++);
	sync();
	sleep(1);
	if (nohype_guest_seal("disk"))
		return 1;
	for (end = now() + seconds * 1000000000; now() < end;)
		work(evidence, number++);
	count_write(evidence);
	if (planting)
		plant(evidence);
	outb(SLEEP_TYPE << 2 | SLEEP_ENABLE, PORT_POWER_OFF);
	return 1;
}
