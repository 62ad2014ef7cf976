/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMMAP_INTERNAL_H
#define MEMMAP_INTERNAL_H

#include "memmap/memmap.h"

/* available.c: what the host has of memory, and what to say where it has too little. */
/* The number that follows @key in a file of the kernel's ("" for the first one); -1 if there is none. */
int64_t kernel_number(const char *path, const char *key);

/* A number of the pool of huge pages of this size: "free_hugepages"; @node -1: of all. -1: there is none. */
int64_t hugepage_number(int node, uint64_t page_size, const char *name);
void hugepage_path(char *path, size_t size, int node, uint64_t page_size, const char *name);

/* memory_check's two halves; the second is for what is there now. */
int check_page_size(const struct memory_request *req);
int check_available(const struct memory_request *req);

/* It was there when it was looked for, and then it wasn't: @node -1 or the one whose it was to be. Returns -ENOMEM. */
int fail_no_pages(const struct memory_request *req, int node);

/*
 * crew.c: @work is called for each piece of [0, @size), in no order, by threads in a process of its own that has @mem
 * mapped; then @after once, if not NULL. The first negative errno that one returns ends it and is the result. They
 * report nothing that the caller doesn't; what they find out they leave in @shared, which is memory of both processes
 * (shared_make). -ECANCELED: the process was killed. crew_run_here: by threads of this process.
 */
struct crew_work {
	struct memory *mem;
	const struct memory_crew *crew;
	int (*before)(struct memory *mem, void *shared);
	int (*piece)(struct memory *mem, void *shared, uint64_t offset, uint64_t len);
	int (*after)(struct memory *mem, void *shared);
	int (*second)(struct memory *mem, void *shared, uint64_t offset, uint64_t len); /* when all pieces are done */
	void *shared;
	memory_progress_fn *progress;
	void *progress_ctx;
	unsigned int threads; /* out */
	bool reported;	      /* out: the error was */
};

int crew_run(struct crew_work *work);
int crew_run_here(struct crew_work *work);

void *shared_make(size_t size);

/*
 * folder.c: the folder of @req->place, an fd for openat(2) alone; made if there is none. It is seen to be what it must
 * be. Negative errno, reported. folder_check: what would be refused; makes nothing.
 */
int folder_open(const struct memory_request *req);
int folder_check(const struct memory_request *req);

/* Again, of a file that was left there: -errno, reported but for -ENOENT. */
int folder_reopen(const char *path);

/* Can others than this user write to it? What stands against it, for people; NULL: they can't. */
const char *folder_exposed(int fd);

/* named.c: makes it, empty and with a name, and its record before. named_remove takes both away. -errno, reported. */
int named_make(struct memory *mem, const struct memory_request *req);
void named_remove(struct memory *mem);

/* placement.c: of mapped memory whose pages are all there. */
void placement_read(const struct memory *mem, struct memory_placement *placement);

/* populate.c: all pages of the fd, by the crew. */
int memory_populate(struct memory *mem, const struct memory_request *req);

/* store.c: loops that write zeroes, of which a processor has some. */
struct store_loop {
	const char *name;
	bool (*is_there)(void);
	void (*zero)(void *to, uint64_t len); /* both multiples of 64; when it returns they are written */
};

/* The @i-th that this processor has; NULL after the last. */
const struct store_loop *store_at(unsigned int i);

/*
 * The fastest on this memory, of which each is tried on some; with too little of it to measure, the one that is best on
 * most. Its pages must be in our tables. *@done: so many bytes, from the start, are zero then.
 */
const struct store_loop *store_choose(void *bytes, uint64_t len, uint64_t *done);

/* True if [@bytes, @bytes + @len), both multiples of 64, is all zero. */
bool bytes_are_zero(const void *bytes, uint64_t len);

#endif
