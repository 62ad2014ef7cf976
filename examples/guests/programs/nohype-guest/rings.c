// SPDX-License-Identifier: GPL-2.0-only
/* Finds the rings by sysfs alone and maps them: no driver, no access to the function's configuration after the seal. */
#include "examples/guests/programs/nohype-guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FUNCTIONS "/sys/bus/pci/devices"

/* A number of the function's, as sysfs has it; the kernel read it when it found the function. */
static long number_read(const char *function, const char *name)
{
	char path[300], text[32] = "";
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), FUNCTIONS "/%s/%s", function, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fgets(text, sizeof(text), file))
		number = strtol(text, NULL, 0);
	fclose(file);
	return number;
}

static bool function_find(char *function, size_t size)
{
	DIR *dir = opendir(FUNCTIONS);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		found = entry->d_name[0] != '.' && number_read(entry->d_name, "vendor") == RINGS_PCI_VENDOR &&
			number_read(entry->d_name, "device") == RINGS_PCI_DEVICE;
		if (found)
			snprintf(function, size, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* What is on already is left alone: switching on is a write to the configuration, which ends a sealed guest. */
static int function_enable(const char *function)
{
	char path[300];
	ssize_t written;
	int fd;

	if (number_read(function, "enable") > 0)
		return EXIT_OK;
	snprintf(path, sizeof(path), FUNCTIONS "/%s/enable", function);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return complain(path, "");
	written = write(fd, "1", 1);
	if (written != 1)
		complain(path, "");
	close(fd);
	return written == 1 ? EXIT_OK : EXIT_ERROR;
}

/* Write-combining where there is that: else each store is a bus access. */
static int resource_open(const char *function)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), FUNCTIONS "/%s/resource%d_wc", function, RINGS_BAR);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), FUNCTIONS "/%s/resource%d", function, RINGS_BAR);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		complain(path, "");
	return fd;
}

#define PAGE 4096

/* Hosts that can't map memory for a guest ahead do at its first touch, which must be before the seal. */
static void pages_touch(struct rings *rings)
{
	for (size_t at = 0; at < sizeof(*rings); at += PAGE)
		(void)atomic_load_explicit((_Atomic uint8_t *)rings + at, memory_order_relaxed);
}

/* A byte of the function's enable file a role: held until this process ends. */
static int role_take(const char *function, enum rings_role role)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = role, .l_len = 1 };
	char path[300];
	int fd, err;

	snprintf(path, sizeof(path), FUNCTIONS "/%s/enable", function);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return complain(path, "");
	err = fcntl(fd, F_SETLK, &lock) ? complain("the rings", ": another nohype-guest does this already") : EXIT_OK;
	if (err)
		close(fd);
	/* Else it stays open: a lock goes with the first close of its file. */
	return err;
}

static struct rings *resource_map(const char *function)
{
	int fd = resource_open(function);
	struct rings *rings;

	if (fd < 0)
		return NULL;
	rings = mmap(NULL, RINGS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (rings == MAP_FAILED)
		complain("map the rings", "");
	close(fd);
	if (rings == MAP_FAILED)
		return NULL;
	pages_touch(rings);
	return rings;
}

static struct rings *version_check(struct rings *rings)
{
	if (!rings || (rings->magic == RINGS_MAGIC && rings->version == RINGS_VERSION))
		return rings;
	fprintf(stderr, "nohype-guest: error: the rings are of version %u (magic %#x), wanted %d (%#x)\n",
		rings->version, rings->magic, RINGS_VERSION, RINGS_MAGIC);
	return NULL;
}

int rings_enable(void)
{
	char function[256];

	if (!function_find(function, sizeof(function)))
		return EXIT_OK;
	return function_enable(function) || !resource_map(function) ? EXIT_ERROR : EXIT_OK;
}

struct rings *rings_open(enum rings_role role)
{
	char function[256];

	if (!function_find(function, sizeof(function))) {
		fprintf(stderr, "nohype-guest: error: no rings here: the host gives them with \"rings\": true\n");
		return NULL;
	}
	if (function_enable(function) || role_take(function, role))
		return NULL;
	return version_check(resource_map(function));
}

struct ring_end ring_produce(struct ring *ring, uint8_t *bytes, uint64_t size)
{
	struct ring_end end = ring_end(ring, bytes, size);

	end.count = atomic_load(&ring->put);
	return end;
}

struct ring_end ring_consume(struct ring *ring, uint8_t *bytes, uint64_t size)
{
	struct ring_end end = ring_end(ring, bytes, size);

	end.count = atomic_load(&ring->taken);
	return end;
}

void sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}
