// SPDX-License-Identifier: GPL-2.0-only
/*
 * For QEMU, by LD_PRELOAD: its monotonic clock goes SLOW times slower, and it waits as much longer. To the emulated
 * host this machine is then so many times faster, and late by so many times less when it was busy with something else.
 * The time-stamp counter, which QEMU reads from the processor, goes on as it does: the emulated kernel finds that it
 * has one of a higher frequency.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static int (*real_clock_gettime)(clockid_t clock, struct timespec *now);
static int (*real_ppoll)(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
static int64_t slow = 1, begin;

static int64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec * SECOND + time->tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

__attribute__((constructor)) static void slow_begin(void)
{
	const char *factor = getenv("SLOW");
	struct timespec now;

	*(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_ppoll = dlsym(RTLD_NEXT, "ppoll");
	real_clock_gettime(CLOCK_MONOTONIC, &now);
	begin = nanoseconds(&now);
	if (factor && atoi(factor) > 1)
		slow = atoi(factor);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int err = real_clock_gettime(clock, now);

	if (!err && clock == CLOCK_MONOTONIC)
		*now = timespec_of(begin + (nanoseconds(now) - begin) / slow);
	return err;
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct timespec longer;

	if (timeout)
		longer = timespec_of(nanoseconds(timeout) * slow);
	return real_ppoll(fds, count, timeout ? &longer : NULL, mask);
}
