// SPDX-License-Identifier: GPL-2.0-only
#include "memmap/memmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* include/uapi/linux/memfd.h, since 6.3 */
#endif

#define CHUNK	   MIB(64) /* allocated by one fallocate: a progress report and a chance for signals between two */
#define SIZE_TEXT  32
#define ASKED_TEXT 96

/* In the largest unit that says it exactly: "512M", as a configuration has it. */
static const char *size_exact(char text[SIZE_TEXT], uint64_t bytes)
{
	static const char units[] = "KMGT";
	uint64_t n = bytes >> 10;
	int unit = 0;

	while (n && n % 1024 == 0 && units[unit + 1]) {
		n /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT, "%" PRIu64 "%c", n, units[unit]);
	return text;
}

/* Rounded down, for people: "23 GiB". */
static const char *size_rough(char text[SIZE_TEXT], uint64_t bytes)
{
	if (bytes >= GIB(10))
		snprintf(text, SIZE_TEXT, "%" PRIu64 " GiB", bytes >> 30);
	else
		snprintf(text, SIZE_TEXT, "%" PRIu64 " MiB", bytes >> 20);
	return text;
}

/* What was asked for: `memory.size: "512M"`, `memory.size: "512M" and disks of "1G"`. */
static const char *asked_print(char text[ASKED_TEXT], const struct memory_layout *layout)
{
	uint64_t ram = layout_ram(layout);
	char size[SIZE_TEXT], disks[SIZE_TEXT];

	size_exact(size, ram);
	if (ram == layout->size)
		snprintf(text, ASKED_TEXT, "memory.size: \"%s\"", size);
	else
		snprintf(text, ASKED_TEXT, "memory.size: \"%s\" and disks of \"%s\"", size,
			 size_exact(disks, layout->size - ram));
	return text;
}

/* The number that follows @key in a file of the kernel's ("" for the first one); -1 if there is none. */
static int64_t number_read(const char *path, const char *key)
{
	char line[256];
	int64_t number = -1;
	FILE *file = fopen(path, "re");

	if (!file)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), "%" SCNd64, &number) != 1)
			number = -1;
	fclose(file);
	return number;
}

static int64_t hugepage_number(uint64_t page_size, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s", page_size >> 10, name);
	return number_read(path, "");
}

/* What to do about too few huge pages; the caller knows why it happened. */
static int fail_hugepages(const struct memory *mem, int err)
{
	uint64_t wanted = mem->layout.size / mem->page_size;
	int64_t total = hugepage_number(mem->page_size, "nr_hugepages");
	int64_t free = hugepage_number(mem->page_size, "free_hugepages");
	int64_t reserved = hugepage_number(mem->page_size, "resv_hugepages");
	int64_t unclaimed = MAX(free - reserved, 0);
	char asked[ASKED_TEXT], page[SIZE_TEXT];

	return fail(err,
		    "%s: wants %" PRIu64 " huge pages of %s: this host has %" PRId64 ", %" PRId64
		    " of them free: reserve more with "
		    "`echo %" PRIu64 " >/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages`",
		    asked_print(asked, &mem->layout), wanted, size_exact(page, mem->page_size), MAX(total, 0),
		    unclaimed, (uint64_t)MAX(total, 0) + wanted - MIN(wanted, (uint64_t)unclaimed),
		    mem->page_size >> 10);
}

static int fail_small_pages(const struct memory *mem, int err, int64_t available)
{
	char asked[ASKED_TEXT], has[SIZE_TEXT];

	return fail(err, "%s: more than this host has free (%s)", asked_print(asked, &mem->layout),
		    size_rough(has, MAX(available, 0)));
}

static int64_t memory_available(void)
{
	int64_t kib = number_read("/proc/meminfo", "MemAvailable:");

	return kib < 0 ? -1 : kib << 10;
}

static int fail_no_pages(const struct memory *mem, int err)
{
	if (mem->page_size == KIB(4))
		return fail_small_pages(mem, err, memory_available());
	return fail_hugepages(mem, err);
}

/* Said before a page is taken: running out half way makes the kernel kill processes instead. */
static int check_available(const struct memory *mem)
{
	int64_t available = memory_available();

	if (mem->page_size != KIB(4) || available < 0 || mem->layout.size <= (uint64_t)available)
		return 0;
	return fail_small_pages(mem, -ENOMEM, available);
}

static int check_page_size(const struct memory *mem)
{
	char asked[ASKED_TEXT], page[SIZE_TEXT];

	size_exact(page, mem->page_size);
	for (uint32_t i = 0; i < mem->layout.count; i++)
		if (mem->layout.ranges[i].size % mem->page_size)
			return fail(-EINVAL, "%s: not a multiple of its pages' size (%s)",
				    asked_print(asked, &mem->layout), page);
	if (mem->page_size != KIB(4) && hugepage_number(mem->page_size, "nr_hugepages") < 0)
		return fail(-ENOTSUP, "memory.page_size: \"%s\": this host has no huge pages of that size", page);
	return 0;
}

/* Pages that no one has a claim on, and those that the kernel may make beyond its pool. */
static int check_hugepages(const struct memory *mem)
{
	int64_t unclaimed, surplus;

	if (mem->page_size == KIB(4))
		return 0;
	unclaimed =
		hugepage_number(mem->page_size, "free_hugepages") - hugepage_number(mem->page_size, "resv_hugepages");
	surplus = hugepage_number(mem->page_size, "nr_overcommit_hugepages") -
		  hugepage_number(mem->page_size, "surplus_hugepages");
	if (mem->layout.size / mem->page_size <= (uint64_t)(MAX(unclaimed, 0) + MAX(surplus, 0)))
		return 0;
	return fail_hugepages(mem, -ENOMEM);
}

int memory_check(const struct memory_layout *layout, uint64_t page_size)
{
	const struct memory mem = { .fd = -1, .page_size = page_size, .layout = *layout };
	int err = check_page_size(&mem);

	if (!err)
		err = check_available(&mem);
	return err ? err : check_hugepages(&mem);
}

static unsigned int page_size_flags(uint64_t page_size)
{
	if (page_size == GIB(1))
		return MFD_HUGETLB | MFD_HUGE_1GB;
	if (page_size == MIB(2))
		return MFD_HUGETLB | MFD_HUGE_2MB;
	return 0;
}

static int memfd_make(uint64_t page_size)
{
	unsigned int flags = MFD_CLOEXEC | page_size_flags(page_size);
	int fd = memfd_create("nohype-guest", flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before 6.3 */
		fd = memfd_create("nohype-guest", flags | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

/*
 * A shared mapping takes all its huge pages at once or none, and what it took stays the file's when the mapping goes
 * (mm/hugetlb.c, hugetlb_reserve_pages()): two VMs that start together can't each get half.
 */
static int hugepages_claim(const struct memory *mem)
{
	void *map;

	if (mem->page_size == KIB(4))
		return 0;
	map = mmap(NULL, mem->layout.size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->fd, 0);
	if (map == MAP_FAILED)
		return fail_no_pages(mem, -errno);
	munmap(map, mem->layout.size);
	return 0;
}

static int chunk_allocate(const struct memory *mem, uint64_t start, uint64_t len)
{
	while (fallocate(mem->fd, 0, start, len)) {
		if (errno == EINTR)
			continue;
		if (errno == ENOMEM || errno == ENOSPC)
			return fail_no_pages(mem, -ENOMEM);
		return fail(-errno, "memory: allocate %" PRIu64 " bytes: %s", len, strerror(errno));
	}
	return 0;
}

static int pages_allocate(const struct memory *mem, memory_progress_fn *progress, void *ctx)
{
	uint64_t chunk = MAX(CHUNK, mem->page_size);

	for (uint64_t done = 0; done < mem->layout.size;) {
		uint64_t len = MIN(chunk, mem->layout.size - done);
		int err = chunk_allocate(mem, done, len);

		if (err)
			return err;
		done += len;
		if (progress)
			progress(ctx, done, mem->layout.size);
	}
	return 0;
}

static int memory_fill(const struct memory *mem, memory_progress_fn *progress, void *ctx)
{
	int err;

	if (ftruncate(mem->fd, mem->layout.size))
		return fail(-errno, "memory: set its size to %" PRIu64 ": %s", mem->layout.size, strerror(errno));
	err = hugepages_claim(mem);
	if (!err)
		err = pages_allocate(mem, progress, ctx);
	if (err)
		return err;
	if (fcntl(mem->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fail(-errno, "memory: lock its size: %s", strerror(errno));
	return 0;
}

int memory_reserve(struct memory *mem, const struct memory_layout *layout, uint64_t page_size,
		   memory_progress_fn *progress, void *ctx)
{
	int err;

	*mem = (struct memory){ .fd = -1, .page_size = page_size, .layout = *layout };
	err = check_page_size(mem);
	if (!err)
		err = check_available(mem);
	if (err)
		return err;
	mem->fd = memfd_make(page_size);
	if (mem->fd < 0) {
		err = fail(mem->fd, "memory: make a memfd: %s", strerror(-mem->fd));
		mem->fd = -1;
		return err;
	}
	err = memory_fill(mem, progress, ctx);
	if (err)
		memory_release(mem);
	return err;
}

int memory_map(struct memory *mem)
{
	uint64_t size = mem->layout.size;
	void *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->fd, 0);
	int err;

	if (host == MAP_FAILED)
		return fail(-errno, "memory: map %" PRIu64 " bytes: %s", size, strerror(errno));
	if (madvise(host, size, MADV_DONTDUMP) || madvise(host, size, MADV_DONTFORK)) {
		err = fail(-errno, "memory: keep it out of core dumps and children: %s", strerror(errno));
		munmap(host, size);
		return err;
	}
	mem->host = host;
	return 0;
}

void memory_unmap(struct memory *mem)
{
	if (mem->host)
		munmap(mem->host, mem->layout.size);
	mem->host = NULL;
}

void memory_release(struct memory *mem)
{
	memory_unmap(mem);
	if (mem->fd >= 0)
		close(mem->fd);
	mem->fd = -1;
}

void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len, const char *what)
{
	uint64_t offset;

	if (mem->host && layout_find(&mem->layout, gpa, len, &offset))
		return mem->host + offset;
	fail(-EFAULT, "%s: %" PRIu64 " bytes at 0x%" PRIx64 ": not in the guest's memory", what, len, gpa);
	return NULL;
}
