// SPDX-License-Identifier: GPL-2.0-only
/*
 * Computes for some seconds and prints how many rounds it did: work that enters neither the guest's kernel (the clock
 * is read in the vDSO, by RDTSC) nor the host's.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX 1000000
#define ROUND	    100000 /* steps between two looks at the clock: well under a millisecond */

static const char usage[] = "usage: busy SECONDS\n"
			    "\n"
			    "Computes for that long on one CPU, then prints `busy: N rounds in S s, result X`.\n";

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Knuth's linear congruential generator: each step needs the one before, so none can be left out. */
static uint64_t compute(uint64_t x)
{
	for (int i = 0; i < ROUND; i++)
		x = x * 6364136223846793005 + 1442695040888963407;
	return x;
}

static int seconds_parse(const char *text, double *seconds)
{
	char *end;

	errno = 0;
	*seconds = strtod(text, &end);
	if (errno || end == text || *end || !(*seconds >= 0 && *seconds <= SECONDS_MAX))
		return -EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long long rounds = 0;
	double seconds, start, took;
	uint64_t x = 1;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc != 2 || seconds_parse(argv[1], &seconds)) {
		fprintf(stderr, "busy: error: a number of seconds wanted, 0 to %d\n%s", SECONDS_MAX, usage);
		return 2;
	}
	start = now();
	while ((took = now() - start) < seconds) {
		x = compute(x);
		rounds++;
	}
	/* The result is printed so that computing it can't be left out. */
	printf("busy: %llu rounds in %.2f s, result %#llx\n", rounds, took, (unsigned long long)x);
	return 0;
}
