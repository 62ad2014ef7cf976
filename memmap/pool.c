// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages for one VM, added to the host's pools and taken out again. The record is on the host's file system and not
 * with a process that would wait for our end: whatever kills a supervisor by force (the kernel for want of memory, a
 * service's cgroup that is ended) kills such a process as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "memmap/internal.h"
#include "memmap/record.h"

/* What an administrator has set: pages that the kernel made beyond it, or that wait to be freed, are surplus. */
int64_t pool_read(int node, uint64_t page_size)
{
	int64_t all = hugepage_number(node, page_size, "nr_hugepages");

	return all < 0 ? -1 : all - MAX(hugepage_number(node, page_size, "surplus_hugepages"), 0);
}

/* Negative errno; reports nothing. The kernel gives what it can and calls that success. */
static int pool_write(int node, uint64_t page_size, uint64_t count)
{
	char path[128], text[32];
	int fd, err = 0, len = snprintf(text, sizeof(text), "%" PRIu64, count);

	hugepage_path(path, sizeof(path), node, page_size, "nr_hugepages");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	close(fd);
	return err;
}

static int pool_fail(int node, uint64_t page_size, int err)
{
	char path[128];

	hugepage_path(path, sizeof(path), node, page_size, "nr_hugepages");
	return fail(err, "memory.reserve: %s: %s%s", path, strerror(-err),
		    err == -EACCES || err == -EPERM ? ": wanted root, or false and pages that root has reserved" : "");
}

void pool_take_out(int node, uint64_t page_size, uint64_t count)
{
	int64_t now = pool_read(node, page_size);
	int err;

	if (!count || now <= 0)
		return; /* somebody has taken them out already */
	err = pool_write(node, page_size, (uint64_t)now - MIN(count, (uint64_t)now));
	if (err)
		pool_fail(node, page_size, err);
}

/* Up to @wanted pages into one pool; what has come of it is in @pool, and in the record. */
static int node_add(struct pool *pool, int node, uint64_t wanted)
{
	int64_t before = pool_read(node, pool->page_size), now;
	int err = before < 0 ? -ENOENT : record_intend(pool->fd, node, (uint64_t)before, wanted);

	if (!err)
		err = pool_write(node, pool->page_size, (uint64_t)before + wanted);
	if (err)
		return pool_fail(node, pool->page_size, err);
	now = pool_read(node, pool->page_size);
	pool->nodes[pool->count].node = node;
	pool->nodes[pool->count].added = (uint64_t)MAX(now - before, 0);
	err = record_done(pool->fd, node, pool->nodes[pool->count++].added);
	return err ? fail(err, "memory.reserve: \"%s\": %s", pool->path, strerror(-err)) : 0;
}

static int pool_short(const struct pool *pool, int node, uint64_t got, uint64_t wanted)
{
	char page[SIZE_TEXT], host[32];

	snprintf(host, sizeof(host), node < 0 ? "this host" : "node %d", node);
	return fail(-ENOMEM,
		    "memory.reserve: wants %" PRIu64 " huge pages of %s more: %s could make %" PRIu64
		    " of its free memory: wanted more that is free and in one piece, or pages reserved at boot",
		    wanted, size_exact(page, pool->page_size), host, got);
}

static int parts_add(struct pool *pool, const struct memory_request *req)
{
	const struct memory_nodes *nodes = &req->nodes;
	int err = 0;

	for (uint32_t i = 0; !err && i < nodes->count; i++) {
		uint64_t rings = i ? 0 : req->rings; /* on any of them */
		uint64_t wanted = (nodes_bytes(nodes, nodes->parts[i].node) + rings) / pool->page_size;

		err = node_add(pool, (int)nodes->parts[i].node, wanted);
		if (!err && pool->nodes[i].added < wanted)
			err = pool_short(pool, (int)nodes->parts[i].node, pool->nodes[i].added, wanted);
	}
	return err;
}

static bool crew_is_on(const struct memory_crew *crew, unsigned int node)
{
	for (unsigned int i = 0; i < crew->count; i++)
		if (node_of_cpu(crew->cores[i]) == (int)node)
			return true;
	return false;
}

/* The crew's nodes first. */
static unsigned int nodes_in_order(const struct memory_crew *crew, unsigned int *order)
{
	unsigned int nodes[MEMORY_NODES_MAX], count = nodes_with_memory(nodes, MEMORY_NODES_MAX), used = 0;

	for (unsigned int far = 0; far < 2; far++)
		for (unsigned int i = 0; i < count; i++)
			if (crew_is_on(crew, nodes[i]) == !far)
				order[used++] = nodes[i];
	return used;
}

/* Wherever there is room. */
static int any_add(struct pool *pool, const struct memory_request *req)
{
	unsigned int order[MEMORY_NODES_MAX], count = nodes_in_order(&req->crew, order);
	uint64_t wanted = (req->layout.size + req->rings) / req->page_size, got = 0;
	int err = 0;

	if (!count)
		err = node_add(pool, -1, wanted);
	for (unsigned int i = 0; !err && i < count && got < wanted; i++) {
		err = node_add(pool, (int)order[i], wanted - got);
		if (!err)
			got += pool->nodes[i].added;
	}
	if (!err && !count)
		got = pool->nodes[0].added;
	return err || got == wanted ? err : pool_short(pool, -1, got, wanted);
}

/* The right to change the pools, for as long as the fd is open. */
static int pools_lock(const char *state)
{
	char path[128];
	int fd;

	if (mkdir(state, 0755) && errno != EEXIST)
		return fail(-errno, "memory.reserve: \"%s\": %s", state, strerror(errno));
	snprintf(path, sizeof(path), "%s/pages.lock", state);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "memory.reserve: \"%s\": %s", path, strerror(errno));
	while (flock(fd, LOCK_EX))
		if (errno != EINTR) {
			int err = fail(-errno, "memory.reserve: \"%s\": %s", path, strerror(errno));

			close(fd);
			return err;
		}
	return fd;
}

static void pool_undo(struct pool *pool)
{
	while (pool->count) {
		pool->count--;
		pool_take_out(pool->nodes[pool->count].node, pool->page_size, pool->nodes[pool->count].added);
	}
	if (pool->fd >= 0)
		unlink(pool->path);
	fd_close(&pool->fd);
}

int pool_add(struct pool *pool, const struct memory_request *req, const char *state)
{
	uint64_t left;
	int lock, err;

	*pool = (struct pool){ .fd = -1, .page_size = req->page_size };
	err = memory_check(req); /* else the kernel would look for it in vain, at the cost of all others */
	lock = err ? err : pools_lock(state);
	if (lock < 0)
		return lock;
	records_recover(state, &left);
	snprintf(pool->path, sizeof(pool->path), "%s/" RECORD "%d.%" PRIu64, state, (int)getpid(),
		 req->page_size >> 10);
	pool->fd = record_make(pool->path, "memory.reserve", RECORD_HEAD, "page %" PRIu64 "\n", req->page_size);
	err = pool->fd < 0 ? pool->fd : 0;
	if (!err)
		err = req->nodes.count ? parts_add(pool, req) : any_add(pool, req);
	if (err)
		pool_undo(pool);
	close(lock);
	return err;
}

void pool_give_back(struct pool *pool, const char *state)
{
	int lock = pool->fd < 0 ? -1 : pools_lock(state);

	pool_undo(pool);
	fd_close(&lock);
}

int pool_recover(const char *state, uint64_t *pages)
{
	int lock, err;

	*pages = 0;
	if (!records_any(state))
		return 0;
	lock = pools_lock(state);
	if (lock < 0)
		return lock;
	err = records_recover(state, pages);
	close(lock);
	return err;
}
