// SPDX-License-Identifier: GPL-2.0-only
#include "memmap/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* include/uapi/linux/memfd.h, since 6.3 */
#endif

static unsigned int page_size_flags(uint64_t page_size)
{
	if (page_size == GIB(1))
		return MFD_HUGETLB | MFD_HUGE_1GB;
	if (page_size == MIB(2))
		return MFD_HUGETLB | MFD_HUGE_2MB;
	return 0;
}

static int memfd_make(struct memory *mem)
{
	unsigned int flags = MFD_CLOEXEC | page_size_flags(mem->page_size);

	mem->fd = memfd_create("nohype-guest", flags | MFD_NOEXEC_SEAL);
	if (mem->fd < 0 && errno == EINVAL) /* before 6.3 */
		mem->fd = memfd_create("nohype-guest", flags | MFD_ALLOW_SEALING);
	return mem->fd < 0 ? fail(-errno, "memory: make a memfd: %s", strerror(errno)) : 0;
}

/*
 * A shared mapping takes all its huge pages at once or none, and what it took stays the file's when the mapping goes
 * (mm/hugetlb.c, hugetlb_reserve_pages()): two VMs that start together can't each get half.
 */
static int hugepages_claim(const struct memory *mem, const struct memory_request *req)
{
	void *map;

	if (mem->page_size == KIB(4))
		return 0;
	map = mmap(NULL, mem->layout.size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->fd, 0);
	if (map == MAP_FAILED)
		return fail_no_pages(req, -1);
	munmap(map, mem->layout.size);
	return 0;
}

static int memory_fill(struct memory *mem, const struct memory_request *req)
{
	int err;

	if (ftruncate(mem->fd, mem->layout.size))
		return fail(-errno, "memory: set its size to %" PRIu64 ": %s", mem->layout.size, strerror(errno));
	err = hugepages_claim(mem, req);
	if (!err)
		err = memory_populate(mem, req);
	if (err)
		return err;
	if (mem->file) /* takes none (mm/memfd.c, memfd_add_seals(): F_SEAL_SEAL is its first) */
		return 0;
	if (fcntl(mem->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fail(-errno, "memory: lock its size: %s", strerror(errno));
	return 0;
}

int memory_reserve(struct memory *mem, const struct memory_request *req)
{
	int err;

	*mem = (struct memory){ .fd = -1, .page_size = req->page_size, .layout = req->layout };
	err = check_page_size(req);
	if (!err)
		err = check_available(req);
	if (err)
		return err;
	err = req->place.folder ? named_make(mem, req) : memfd_make(mem);
	if (!err)
		err = memory_fill(mem, req);
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
	if (mem->file)
		named_remove(mem);
	fd_close(&mem->fd);
}

void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len, const char *what)
{
	uint64_t offset;

	if (mem->host && layout_find(&mem->layout, gpa, len, &offset))
		return mem->host + offset;
	fail(-EFAULT, "%s: %" PRIu64 " bytes at 0x%" PRIx64 ": not in the guest's memory", what, len, gpa);
	return NULL;
}
