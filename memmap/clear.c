// SPDX-License-Identifier: GPL-2.0-only
/* Zeroes over all that a guest left, by the VM's own cores. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "memmap/internal.h"

struct clearing {
	_Atomic(const struct store_loop *) loop; /* the same address in both processes; NULL: not chosen yet */
	_Atomic uint64_t failed;		 /* bytes in pages that the hardware doesn't take any more */
	uint64_t seed;
	int64_t begun;
	int64_t took;
};

/* In our own page tables first: faults one by one would take longer than the stores. */
static int piece_touch(const struct memory *mem, uint64_t offset, uint64_t len)
{
	return madvise(mem->host + offset, len, MADV_POPULATE_WRITE) ? -errno : 0;
}

/*
 * The threads' first pieces are what the loops are measured on, by all of them at once: which one is fastest alone need
 * not be so beside others, with whom it shares the way to memory. The first to know decides. What is left to clear of
 * the piece goes to *@offset and *@len.
 */
static const struct store_loop *loop_get(const struct memory *mem, struct clearing *clearing, uint64_t *offset,
					 uint64_t *len)
{
	const struct store_loop *loop = atomic_load(&clearing->loop), *none = NULL;
	uint64_t done = 0;

	if (loop)
		return loop;
	loop = store_choose(mem->host + *offset, *len, &done);
	*offset += done;
	*len -= done;
	return atomic_compare_exchange_strong(&clearing->loop, &none, loop) ? loop : none;
}

#define SAMPLE_EACH KIB(64) /* one of each 4 KiB took an eighth of the clearing's time */

/* One word of each, at a place that nobody can have known. */
static bool sample_is_zero(const uint8_t *bytes, uint64_t len, uint64_t seed)
{
	uint64_t seen = 0, word;

	for (uint64_t at = 0; at < len; at += SAMPLE_EACH) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(&word, bytes + at + (seed >> 51) * sizeof(word), sizeof(word));
		seen |= word;
	}
	return seen == 0;
}

static void bytes_clear(const struct memory *mem, struct clearing *clearing, uint64_t offset, uint64_t len)
{
	const struct store_loop *loop = loop_get(mem, clearing, &offset, &len);

	loop->zero(mem->host + offset, len);
}

/*
 * Memory that failed while the guest ran (mm/memory-failure.c): the kernel has taken such a page out of use. A store
 * there would be SIGBUS; the pages around it are as they were. One of 4 KiB it gives to nobody any more. Of a huge one
 * it can tell which 4 KiB failed: the others are free when the page leaves its pool
 * (folio_clear_hugetlb_hwpoison()), with what the guest left, and are zeroed as all that goes to a user is.
 */
const char *memory_failed_fate(uint64_t page_size)
{
	return page_size > KIB(4)
		       ? "the kernel keeps the part that failed, and zeroes what is around it before its next user"
		       : "the kernel gives these pages to nobody";
}

static int page_clear(struct memory *mem, struct clearing *clearing, uint64_t offset)
{
	int err = piece_touch(mem, offset, mem->page_size);

	if (err == -EHWPOISON) {
		atomic_fetch_add(&clearing->failed, mem->page_size);
		return 0;
	}
	if (err)
		return err;
	bytes_clear(mem, clearing, offset, mem->page_size);
	return bytes_are_zero(mem->host + offset, mem->page_size) ? 0 : -EIO;
}

static int clear_piece(struct memory *mem, void *shared, uint64_t offset, uint64_t len)
{
	const struct clearing *clearing = shared;
	int err = piece_touch(mem, offset, len);

	if (!err) {
		bytes_clear(mem, shared, offset, len);
		return sample_is_zero(mem->host + offset, len, clearing->seed ^ offset) ? 0 : -EIO;
	}
	if (err != -EHWPOISON)
		return err;
	err = 0;
	for (uint64_t done = 0; !err && done < len; done += mem->page_size)
		err = page_clear(mem, shared, offset + done);
	return err;
}

static int page_verify(const struct memory *mem, uint64_t offset, uint64_t len)
{
	if (madvise(mem->host + offset, len, MADV_POPULATE_READ))
		return -errno;
	return bytes_are_zero(mem->host + offset, len) ? 0 : -EIO;
}

static int verify_piece(struct memory *mem, void *shared, uint64_t offset, uint64_t len)
{
	int err = page_verify(mem, offset, len);

	(void)shared;
	if (err != -EHWPOISON)
		return err;
	err = 0;
	for (uint64_t done = 0; !err && done < len; done += mem->page_size) {
		err = page_verify(mem, offset + done, mem->page_size);
		if (err == -EHWPOISON)
			err = 0;
	}
	return err;
}

static void cleared_fill(struct memory_cleared *cleared, const struct crew_work *work, int64_t begun)
{
	const struct clearing *clearing = work->shared;
	const struct store_loop *loop = clearing->loop; /* NULL: its one page has failed */

	*cleared = (struct memory_cleared){ .bytes = work->mem->layout.size - clearing->failed,
					    .failed = clearing->failed,
					    .ns = clock_now() - begun,
					    .threads = work->threads,
					    .verified = work->second != NULL };
	snprintf(cleared->stores, sizeof(cleared->stores), "%s", loop ? loop->name : "none");
	if (cleared->failed)
		warn("memory: %" PRIu64 " KiB have failed and aren't cleared: %s", cleared->failed >> 10,
		     memory_failed_fate(work->mem->page_size));
}

static int clear_fail(int err)
{
	if (err == -EIO)
		return fail(err, "memory: something wrote to it while it was cleared");
	return fail(err, "memory: clear it: %s", strerror(-err));
}

int memory_clear(struct memory *mem, const struct memory_crew *crew, enum memory_clear_how how,
		 struct memory_cleared *cleared)
{
	struct clearing *clearing = shared_make(sizeof(*clearing));
	struct crew_work work = { .mem = mem,
				  .crew = crew,
				  .piece = clear_piece,
				  .second = how == MEMORY_CLEAR_VERIFY ? verify_piece : NULL,
				  .shared = clearing };
	int64_t begun = clock_now();
	int err;

	*cleared = (struct memory_cleared){ 0 };
	if (!clearing)
		return fail(-ENOMEM, "memory: no memory to clear it");
	if (getrandom(&clearing->seed, sizeof(clearing->seed), GRND_NONBLOCK) < 0)
		clearing->seed = (uint64_t)begun;
	err = crew_run(&work);
	if (err == -ECANCELED) { /* somebody, or the kernel for want of memory: it must be done all the same */
		clearing->failed = 0;
		err = crew_run_here(&work);
	}
	if (err && !work.reported)
		clear_fail(err);
	if (!err)
		cleared_fill(cleared, &work, begun);
	munmap(clearing, sizeof(*clearing));
	return err;
}
