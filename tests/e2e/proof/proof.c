// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proof that a sealed guest lives and takes no exit: it works on each CPU with its tick alive, counts what it did
 * where the host finds it when the guest is dead, and then executes one CPUID, of which it must die.
 *
 * It is started as the guest's /do/proof, with memmap=4K$0x8000 on the kernel's command line, so that the page there is
 * nobody's; nohype.mode= says what it does (busy, idle or fork), nohype.seconds= how long, nohype.plant= on which CPU
 * the CPUID is.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/ports.h"
#include "tests/e2e/planted.h"

#define EVIDENCE 0x8000
#define QUIET	 8 /* klogctl: set the console's log level */

/* What is left in memory, of each CPU. */
struct evidence {
	volatile uint64_t before; /* 1: the CPUID is next */
	volatile uint64_t after;  /* 1: it was passed */
	volatile uint64_t work;
	volatile uint64_t ticks;  /* interrupts of this CPU's local timer */
	volatile uint64_t sleeps; /* that were slept to their end */
	volatile uint64_t ns;	  /* since the seal, at the last look at ticks */
	volatile uint64_t children;
	volatile uint64_t spare;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The last nohype.NAME= of the kernel's command line, or @otherwise. */
static void param(const char *name, const char *otherwise, char *value, size_t size)
{
	char line[4096] = "", wanted[64];
	FILE *file = fopen("/proc/cmdline", "r");
	const char *at;

	if (!file || !fgets(line, sizeof(line), file))
		die("/proc/cmdline");
	fclose(file);
	snprintf(wanted, sizeof(wanted), "nohype.%s=", name);
	at = strstr(line, wanted);
	at = at ? at + strlen(wanted) : otherwise;
	snprintf(value, size, "%.*s", (int)strcspn(at, " \n"), at);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* "LOC:  COUNT COUNT ...", a column for each CPU. */
static uint64_t local_ticks(int cpu)
{
	char line[4096];
	FILE *file = fopen("/proc/interrupts", "r");
	uint64_t count = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strstr(line, "LOC:");

		if (!at)
			continue;
		at += 4;
		for (int i = 0; i <= cpu; i++)
			count = strtoull(at, &at, 10);
	}
	if (file)
		fclose(file);
	return count;
}

static void work_busy(struct evidence *evidence)
{
	uint64_t x = evidence->work;

	for (int i = 0; i < 100000; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	evidence->work += 1 + (x == 1);
}

static void work_idle(struct evidence *evidence)
{
	struct timespec nap = { .tv_nsec = 10000000 };

	if (!nanosleep(&nap, NULL))
		evidence->sleeps++;
	evidence->work++;
}

static void work_fork(struct evidence *evidence)
{
	pid_t pid = fork();
	char *page;
	int status;

	if (pid == 0) {
		page = malloc(1 << 20);
		if (page)
			memset(page, 1, 1 << 20);
		_exit(page ? 7 : 1);
	}
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7)
		evidence->children++;
	evidence->work++;
}

static void work_on(int cpu, const char *mode, uint64_t ns, int planting, struct evidence *evidence)
{
	void (*work)(struct evidence *) = *mode == 'b' ? work_busy : *mode == 'i' ? work_idle : work_fork;
	uint64_t start, ticks, next = 0;

	ticks = local_ticks(cpu);
	start = now();
	while (evidence->ns < ns) {
		work(evidence);
		if (now() - start < next)
			continue;
		next = now() - start + 500000000;
		evidence->ticks = local_ticks(cpu) - ticks;
		evidence->ns = now() - start;
	}
	for (;;) {
		if (planting)
			plant(&evidence->before, &evidence->after);
		work(evidence);
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

int main(void)
{
	char mode[16], seconds[16], where[16];
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), memory = open("/dev/mem", O_RDWR | O_SYNC);
	struct evidence *evidence = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, EVIDENCE);
	int gate[2];

	param("mode", "busy", mode, sizeof(mode));
	param("seconds", "5", seconds, sizeof(seconds));
	param("plant", "0", where, sizeof(where));
	if (pipe(gate))
		die("pipe");
	if (evidence == MAP_FAILED)
		die("/dev/mem: is memmap=4K$0x8000 on the command line?");
	memset(evidence, 0, 4096);
	for (int cpu = 1; cpu < cpus; cpu++) {
		if (fork())
			continue;
		pin(cpu);
		close(gate[1]);
		if (read(gate[0], mode + sizeof(mode) - 1, 1) < 0) /* until it is sealed, and the other end closed */
			die("gate");
		work_on(cpu, mode, strtoull(seconds, NULL, 10) * 1000000000, atoi(where) == cpu, &evidence[cpu]);
	}
	pin(0);
	if (klogctl(QUIET, NULL, 1) || ioperm(PORT_SEAL, 1, 1))
		die("I/O port of the seal");
	sleep(1);
	outb(1, PORT_SEAL);
	close(gate[1]);
	work_on(0, mode, strtoull(seconds, NULL, 10) * 1000000000, atoi(where) == 0, &evidence[0]);
}
